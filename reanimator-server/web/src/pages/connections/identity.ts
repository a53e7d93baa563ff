/** Keys and certificates as machines show them, held against what a person read on the machine itself. */

const PRINTS = /SHA256:[A-Za-z0-9+/]{43}=?|(?:[0-9a-f]{2}:){31}[0-9a-f]{2}/gi;

/** One way to write each: SSH prints know upper from lower case, a certificate's do not. */
function plain(print: string): string {
  return /^sha256:/i.test(print) ? `SHA256:${print.slice(7).replace(/=$/, '')}` : print.toUpperCase();
}

/** All fingerprints that a text names, such as the lines of `ssh-keygen -l`. */
export function printsIn(text: string): string[] {
  return (text.match(PRINTS) ?? []).map(plain);
}

/** What a pasted text says of the fingerprint that is shown: a machine has several keys, and one of them is enough. */
export function compare(pasted: string, shown: string): 'nothing' | 'unclear' | 'equal' | 'different' {
  if (!pasted.trim()) return 'nothing';
  const read = printsIn(pasted);
  if (read.length === 0) return 'unclear';
  return read.includes(plain(shown)) ? 'equal' : 'different';
}

/** Hosts that wait for somebody to vouch for the key that they show. */
export function untrusted<Host extends { problem: { kind: string; message: string } | null }>(
  hosts: readonly Host[],
): { host: Host; fingerprint: string }[] {
  return hosts.flatMap((host) => {
    const fingerprint = host.problem?.kind === 'host-key-unknown' && printsIn(host.problem.message)[0];
    return fingerprint ? [{ host, fingerprint }] : [];
  });
}
