/** What a backup and its restoring need before they are sent. */

/** As short as a passphrase may be: who has the file can guess as long as they like. */
export const SHORTEST_PASSPHRASE = 12;

export function wrongPassphrase(passphrase: string, again: string): 'passphrase' | 'again' | null {
  if ([...passphrase].length < SHORTEST_PASSPHRASE) return 'passphrase';
  return passphrase === again ? null : 'again';
}

/** Whether somebody typed the word that is asked for; upper and lower case are the same to people. */
export function isTyped(text: string, word: string): boolean {
  return text.trim().toLowerCase() === word.toLowerCase();
}

/** A backup with its passphrase, as the server takes it. The passphrase goes first, so that a wrong one is told early. */
export function backupForm(file: File, passphrase: string): FormData {
  const form = new FormData();
  form.append('passphrase', passphrase);
  form.append('file', file);
  return form;
}
