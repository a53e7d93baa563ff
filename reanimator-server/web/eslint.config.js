import js from '@eslint/js';
import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import ts from 'typescript-eslint';

export default ts.config(
  { ignores: ['dist/', 'node_modules/'] },
  js.configs.recommended,
  ...ts.configs.strict,
  ...svelte.configs.recommended,
  ...svelte.configs.prettier,
  { languageOptions: { globals: { ...globals.browser, ...globals.node } } },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: ts.parser } },
    rules: {
      // The page has its own router; links are plain and it catches them.
      'svelte/no-navigation-without-resolve': 'off',
      // Foreign text is text: markup from strings is never made.
      'svelte/no-at-html-tags': 'error',
    },
  },
  { rules: { '@typescript-eslint/no-non-null-assertion': 'error', 'no-console': 'error' } },
);
