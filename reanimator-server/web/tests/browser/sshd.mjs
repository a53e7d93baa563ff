/** A real sshd on a loopback port, with keys of its own that live as long as the test. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync } from 'node:fs';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { closedPort, temporaryFolder, until } from './harness.mjs';

const SSHD = ['/usr/sbin/sshd', '/usr/local/sbin/sshd', '/sbin/sshd'].find((path) => existsSync(path));

export async function startSshd() {
  if (!SSHD) throw new Error('sshd is missing: install openssh-server');
  // Debian's sshd insists on this folder, empty and root's; as anyone else it does not look.
  if (process.getuid() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  const folder = await temporaryFolder();
  const file = (name) => join(folder.path, name);
  for (const name of ['host', 'login']) {
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file(name)]);
  }
  await writeFile(file('authorized'), await readFile(file('login.pub')));
  await chmod(file('authorized'), 0o600);
  const port = await closedPort();
  await writeFile(
    file('config'),
    [
      `Port ${port}`,
      'ListenAddress 127.0.0.1',
      `HostKey ${file('host')}`,
      `AuthorizedKeysFile ${file('authorized')}`,
      `PidFile ${file('pid')}`,
      'PasswordAuthentication no',
      'PermitRootLogin prohibit-password',
      'StrictModes no',
      'UsePAM no',
      '',
    ].join('\n'),
  );
  const child = spawn(SSHD, ['-D', '-e', '-f', file('config')], { stdio: 'ignore' });
  await until(`sshd to listen on port ${port}`, () => answers(port));
  const fingerprint = execFileSync('ssh-keygen', ['-lf', file('host.pub')], { encoding: 'utf8' }).split(
    ' ',
  )[1];
  return {
    port,
    fingerprint,
    user: userInfo().username,
    keyFile: file('login'),
    key: await readFile(file('login'), 'utf8'),
    stop: async () => {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill();
        await once(child, 'exit');
      }
      await folder.remove();
    },
  };
}

function answers(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
