/** What the forms say, as requests; and what people paste into them, as the forms want it. */
import type { Imported, InventoryFormat, NewHost, NewProxmox } from '../../api/types';

/** What fields show while they are empty; the same in every language. */
export const EXAMPLES = {
  jump: 'me@gate.example.org:22',
  key: '-----BEGIN OPENSSH PRIVATE KEY-----',
  keyFile: '/home/me/.ssh/id_ed25519',
  node: 'https://pve1.example.org:8006',
  token: 'root@pam!reanimator',
} as const;

export type HostAuth = 'agent' | 'key' | 'key_file' | 'password';
export type Sudo = 'none' | 'nopasswd' | 'password';

export interface HostForm {
  address: string;
  port: string;
  user: string;
  name: string;
  jump: string;
  groups: string;
  auth: HostAuth;
  key: string;
  passphrase: string;
  keyFile: string;
  password: string;
  sudo: Sudo;
  sudoPassword: string;
}

export const emptyHostForm: HostForm = {
  address: '',
  port: '22',
  user: 'root',
  name: '',
  jump: '',
  groups: '',
  auth: 'password',
  key: '',
  passphrase: '',
  keyFile: '',
  password: '',
  sudo: 'none',
  sudoPassword: '',
};

/** How many hosts an import would add. */
export function whatIsNew(imported: Imported): number {
  return imported.found.filter((host) => host.state === 'new').length;
}

/** A list as people type it: separated by commas or white space. */
export function words(text: string): string[] {
  return text.split(/[\s,]+/).filter(Boolean);
}

export function isPort(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535;
}

/** Where a host is, taken out of what people paste: `root@web1:2222`, `ssh -p 2222 root@web1`, `[fd00::1]:22`. */
export function readAddress(text: string): { address: string; user?: string; port?: string } {
  const parts = text.trim().split(/\s+/);
  const found: { address: string; user?: string; port?: string } = { address: '' };
  if (parts[0] === 'ssh') parts.shift();
  for (let part = parts.shift(); part !== undefined; part = parts.shift()) {
    const option = part.match(/^-([pl])(.*)$/);
    if (option) {
      const value = option[2] || parts.shift();
      if (value) found[option[1] === 'p' ? 'port' : 'user'] = value;
    } else if (!found.address) {
      found.address = part;
    }
  }
  const [, user, rest = ''] = found.address.replace(/^ssh:\/\//, '').match(/^(?:([^@]+)@)?(.*)$/) ?? [];
  if (user) found.user = user;
  const bracketed = rest.match(/^\[([^\]]+)\](?::(\d+))?$/);
  const plain = rest.match(/^([^:]+):(\d+)$/);
  found.address = bracketed?.[1] ?? plain?.[1] ?? rest;
  const port = bracketed?.[2] ?? plain?.[2];
  if (port) found.port = port;
  return found;
}

export function hostRequest(form: HostForm, acceptHostKey?: string): NewHost {
  const name = form.name.trim();
  const user = form.user.trim();
  const jump = words(form.jump);
  const groups = words(form.groups);
  // Root need not become root.
  const sudo = user === 'root' ? 'none' : form.sudo;
  return {
    address: form.address.trim(),
    port: Number(form.port),
    ...(user ? { user } : {}),
    ...(name ? { name } : {}),
    ...(jump.length > 0 ? { jump } : {}),
    ...(groups.length > 0 ? { groups } : {}),
    auth: hostAuth(form),
    sudo: sudo === 'password' ? { password: form.sudoPassword || form.password } : sudo,
    ...(acceptHostKey ? { accept_host_key: acceptHostKey } : {}),
  };
}

export function hostAuth(
  form: Pick<HostForm, 'auth' | 'key' | 'passphrase' | 'keyFile' | 'password'>,
): NonNullable<NewHost['auth']> {
  const passphrase = form.passphrase ? { passphrase: form.passphrase } : {};
  switch (form.auth) {
    case 'agent':
      return { agent: true };
    case 'key':
      return { key: form.key, ...passphrase };
    case 'key_file':
      return { key_file: form.keyFile.trim(), ...passphrase };
    case 'password':
      return { password: form.password };
  }
}

export type ProxmoxAuth = 'token' | 'password';

export interface ProxmoxForm {
  url: string;
  name: string;
  auth: ProxmoxAuth;
  tokenId: string;
  tokenSecret: string;
  user: string;
  password: string;
}

export const emptyProxmoxForm: ProxmoxForm = {
  url: '',
  name: '',
  auth: 'token',
  tokenId: '',
  tokenSecret: '',
  user: 'root@pam',
  password: '',
};

export function proxmoxRequest(form: ProxmoxForm, dryRun: boolean, acceptCertificate?: string): NewProxmox {
  const name = form.name.trim();
  return {
    url: completeUrl(form.url),
    ...(name ? { name } : {}),
    auth: proxmoxAuth(form),
    ...(acceptCertificate ? { accept_certificate: acceptCertificate } : {}),
    dry_run: dryRun,
  };
}

export function proxmoxAuth(
  form: Pick<ProxmoxForm, 'auth' | 'tokenId' | 'tokenSecret' | 'user' | 'password'>,
): NewProxmox['auth'] {
  return form.auth === 'token'
    ? { token: `${form.tokenId.trim()}=${form.tokenSecret.trim()}` }
    : { user: form.user.trim(), password: form.password };
}

/** A token that was pasted whole, `user@realm!name=secret`, as its two parts; null for anything else. */
export function readToken(text: string): { tokenId: string; tokenSecret: string } | null {
  const [, tokenId, tokenSecret] = text.trim().match(/^(?:PVEAPIToken=)?([^=\s]+![^=\s]+)=(\S+)$/) ?? [];
  return tokenId && tokenSecret ? { tokenId, tokenSecret } : null;
}

/** `pve1` is `https://pve1:8006`: Proxmox has one port and speaks TLS only. */
export function completeUrl(text: string): string {
  const trimmed = text
    .trim()
    .replace(/[#?].*$/, '')
    .replace(/\/+$/, '');
  const whole = /^[a-z]+:\/\//i.test(trimmed) ? trimmed : `https://${trimmed}`;
  return /:\d+$/.test(whole) ? whole : `${whole}:8006`;
}

/** What an inventory is written in, by its look; null where it has none of them. */
export function guessFormat(text: string): InventoryFormat | null {
  if (/^[ \t]*Host[ \t=]+\S/im.test(text)) return 'ssh-config';
  if (/^[ \t]*\[[^\]]+\]/m.test(text)) return 'ansible-ini';
  if (/^[\w.-]+:[ \t]*$/m.test(text)) return 'ansible-yaml';
  return null;
}
