/** New credentials of a host, as the server takes them: what is not named stays. */
import type { HostCredentials } from '../../api/types';

export interface CredentialForm {
  user: string;
  what: 'password' | 'key' | 'sudo';
  password: string;
  key: string;
  passphrase: string;
  sudo: string;
}

export function credentialForm(user: string): CredentialForm {
  return { user, what: 'password', password: '', key: '', passphrase: '', sudo: '' };
}

export function hostCredentials(form: CredentialForm, userBefore: string): HostCredentials {
  const user = form.user.trim();
  const change: HostCredentials = user && user !== userBefore ? { user } : {};
  switch (form.what) {
    case 'password':
      return { ...change, password: form.password };
    case 'key':
      return { ...change, key: form.key, ...(form.passphrase ? { passphrase: form.passphrase } : {}) };
    case 'sudo':
      return { ...change, sudo_password: form.sudo };
  }
}
