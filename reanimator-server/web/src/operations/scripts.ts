/** Prepared scripts as forms hold them. */
import type { Parameter, Risk, Role, Script, StoredScript } from '../api/types';
import { namesOf, wholeOf } from './guests';

/** What a form holds of a parameter: all of it as text. */
export interface ParameterDraft {
  name: string;
  description: string;
  type: Parameter['type'];
  required: boolean;
  default: string;
  /** Of a choice, separated by commas. */
  values: string;
  pattern: string;
  min: string;
  max: string;
}

export interface ScriptDraft {
  name: string;
  description: string;
  body: string;
  interpreter: string;
  parameters: ParameterDraft[];
  hosts: string;
  role: Role;
  users: string;
  risk: Risk;
  limit: string;
  outputKib: string;
  memory: string;
  tasks: string;
  user: string;
  protect: boolean;
}

export const newParameter = (): ParameterDraft => ({
  name: '',
  description: '',
  type: 'text',
  required: false,
  default: '',
  values: '',
  pattern: '',
  min: '',
  max: '',
});

export const newScript = (): ScriptDraft => ({
  name: '',
  description: '',
  body: '',
  interpreter: '/bin/sh',
  parameters: [],
  hosts: 'all',
  role: 'operator',
  users: '',
  risk: 'disruptive',
  limit: '600',
  outputKib: '256',
  memory: '',
  tasks: '',
  user: '',
  protect: false,
});

const textOf = (value: number | string | null | undefined): string =>
  value === null || value === undefined ? '' : String(value);

const parameterDraft = (of: Parameter): ParameterDraft => ({
  ...newParameter(),
  name: of.name,
  description: of.description ?? '',
  type: of.type,
  required: of.required ?? false,
  default: of.default ?? '',
  ...(of.type === 'choice' ? { values: of.values.join(', ') } : {}),
  ...(of.type === 'text' ? { pattern: of.pattern ?? '' } : {}),
  ...(of.type === 'integer' ? { min: textOf(of.min), max: textOf(of.max) } : {}),
});

export const draftOfScript = (script: StoredScript): ScriptDraft => ({
  name: script.name,
  description: script.description,
  body: script.body ?? '',
  interpreter: script.interpreter.join(' '),
  parameters: script.parameters.map(parameterDraft),
  hosts: script.hosts,
  role: script.role,
  users: script.users.join(', '),
  risk: script.risk,
  limit: String(script.limit_seconds),
  outputKib: String(Math.ceil(script.output_bytes / 1024)),
  memory: textOf(script.memory_mb),
  tasks: textOf(script.tasks),
  user: script.user ?? '',
  protect: script.protect_system,
});

const signed = (text: string): number | null => (/^\s*-?\d{1,15}\s*$/.test(text) ? Number(text) : null);

/** Values of a choice may have blanks in them. */
const valuesOf = (text: string): string[] =>
  text
    .split(',')
    .map((value) => value.trim())
    .filter(Boolean);

function parameterOf(draft: ParameterDraft): Parameter {
  const common = {
    name: draft.name.trim(),
    description: draft.description.trim(),
    required: draft.required,
    ...(draft.default ? { default: draft.default } : {}),
  };
  const [min, max] = [signed(draft.min), signed(draft.max)];
  switch (draft.type) {
    case 'text':
      return { ...common, type: 'text', ...(draft.pattern ? { pattern: draft.pattern } : {}) };
    case 'integer':
      return {
        ...common,
        type: 'integer',
        ...(min === null ? {} : { min }),
        ...(max === null ? {} : { max }),
      };
    case 'choice':
      return { ...common, type: 'choice', values: valuesOf(draft.values) };
    case 'boolean':
      return { ...common, type: 'boolean' };
  }
}

/** The script that a form describes; what cannot be is told by the server. A form shows all but a kept `variable` and `secret`. */
export function scriptOf(draft: ScriptDraft, kept?: StoredScript): Script {
  const [memory, tasks] = [wholeOf(draft.memory), wholeOf(draft.tasks)];
  const before = new Map(kept?.parameters.map((each) => [each.name, each]));
  const limits = {
    ...(memory ? { memory_mb: memory } : {}),
    ...(tasks ? { tasks } : {}),
    ...(draft.user.trim() ? { user: draft.user.trim() } : {}),
  };
  const parameters = draft.parameters.map((each) => {
    const made = parameterOf(each);
    const old = before.get(made.name);
    const longest =
      made.type === 'text' && old?.type === 'text' ? { max_length: old.max_length ?? 1000 } : {};
    return {
      ...made,
      ...longest,
      ...(old?.variable ? { variable: old.variable } : {}),
      ...(old?.secret ? { secret: true } : {}),
    };
  });
  return {
    name: draft.name.trim(),
    description: draft.description.trim(),
    body: draft.body,
    interpreter: draft.interpreter.trim().split(/\s+/).filter(Boolean),
    parameters,
    hosts: draft.hosts.trim() || 'all',
    role: draft.role,
    users: namesOf(draft.users),
    risk: draft.risk,
    limit_seconds: wholeOf(draft.limit) ?? 600,
    output_bytes: (wholeOf(draft.outputKib) ?? 256) * 1024,
    protect_system: draft.protect,
    ...limits,
  };
}

/** What a form begins with: the defaults of a script's parameters. */
export const valuesFor = (parameters: readonly Parameter[]): Record<string, string> =>
  Object.fromEntries(
    parameters.map(({ name, type, default: value }) => [name, value ?? (type === 'boolean' ? 'false' : '')]),
  );

/** What a script is given: what was left empty is not. */
export const given = (
  parameters: readonly Parameter[],
  values: Readonly<Record<string, string>>,
): Record<string, string> =>
  Object.fromEntries(
    parameters.flatMap(({ name }) => {
      const value = values[name] ?? '';
      return value === '' ? [] : [[name, value]];
    }),
  );

/** Whether all is there that a script must be given. */
export const isFilled = (
  parameters: readonly Parameter[],
  values: Readonly<Record<string, string>>,
): boolean => parameters.every(({ name, required }) => !required || (values[name] ?? '') !== '');
