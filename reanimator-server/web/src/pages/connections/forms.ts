/** What the forms say, as requests. */
import type { Imported, NewHost, NewProxmox } from '../../api/types';

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
  auth: 'agent',
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

export function hostRequest(form: HostForm, acceptHostKey?: string): NewHost {
  const name = form.name.trim();
  const user = form.user.trim();
  const jump = words(form.jump);
  const groups = words(form.groups);
  return {
    address: form.address.trim(),
    port: Number(form.port),
    ...(user ? { user } : {}),
    ...(name ? { name } : {}),
    ...(jump.length > 0 ? { jump } : {}),
    ...(groups.length > 0 ? { groups } : {}),
    auth: hostAuth(form),
    sudo: form.sudo === 'password' ? { password: form.sudoPassword } : form.sudo,
    ...(acceptHostKey ? { accept_host_key: acceptHostKey } : {}),
  };
}

function hostAuth(form: HostForm): NonNullable<NewHost['auth']> {
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
    auth:
      form.auth === 'token'
        ? { token: `${form.tokenId.trim()}=${form.tokenSecret.trim()}` }
        : { user: form.user.trim(), password: form.password },
    ...(acceptCertificate ? { accept_certificate: acceptCertificate } : {}),
    dry_run: dryRun,
  };
}

/** `pve1` is `https://pve1:8006`: Proxmox has one port and speaks TLS only. */
export function completeUrl(text: string): string {
  const trimmed = text.trim().replace(/\/+$/, '');
  const whole = /^[a-z]+:\/\//i.test(trimmed) ? trimmed : `https://${trimmed}`;
  return /:\d+$/.test(whole) ? whole : `${whole}:8006`;
}
