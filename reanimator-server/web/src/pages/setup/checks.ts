/** What a new account needs before it is sent. */

/** As short as a password may be; the server counts the same way. */
export const SHORTEST = 10;

/** Characters, as people count them. */
const lengthOf = (text: string): number => [...text].length;

export const isShort = (password: string): boolean => lengthOf(password) < SHORTEST;

/** The name of the first field that is not right yet; null when all are. */
export function firstWrong(form: {
  username: string;
  password: string;
  again: string;
}): 'username' | 'password' | 'again' | null {
  if (!form.username.trim()) return 'username';
  if (isShort(form.password)) return 'password';
  return form.password === form.again ? null : 'again';
}
