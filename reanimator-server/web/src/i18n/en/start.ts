/** Log-in and the way from nothing to a watched fleet. */
export const start = {
  logIn: 'Log in',
  userName: 'User name',
  password: 'Password',
  setupDone: 'The first account has been made already; this link has done its work.',
};
