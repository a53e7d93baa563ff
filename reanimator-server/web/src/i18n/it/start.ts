import type { start as English } from '../en/start';

export const start: typeof English = {
  logIn: 'Accedi',
  userName: 'Nome utente',
  password: 'Password',
  setupDone: 'Il primo account esiste già; questo link ha esaurito la sua funzione.',
};
