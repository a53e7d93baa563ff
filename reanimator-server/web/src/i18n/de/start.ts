import type { start as English } from '../en/start';

export const start: typeof English = {
  logIn: 'Anmelden',
  userName: 'Benutzername',
  password: 'Passwort',
  setupDone: 'Das erste Konto gibt es bereits; dieser Link hat seinen Dienst getan.',
};
