/** The sixteen colours of a terminal and its ground, for light and dark: each is legible on its ground. */
import type { ITheme } from '@xterm/xterm';

const DARK: ITheme = {
  background: '#0b0d0f',
  foreground: '#e6eaed',
  cursor: '#7fe0c9',
  cursorAccent: '#0b0d0f',
  selectionBackground: '#2f5c53',
  black: '#2a3035',
  red: '#f2918a',
  green: '#63c58c',
  yellow: '#e5b45c',
  blue: '#86aef0',
  magenta: '#d19be8',
  cyan: '#54c7ae',
  white: '#c7ced4',
  brightBlack: '#8a949c',
  brightRed: '#ffb3ad',
  brightGreen: '#8fe0b0',
  brightYellow: '#f5d08c',
  brightBlue: '#adc9ff',
  brightMagenta: '#e6bff5',
  brightCyan: '#8be8d3',
  brightWhite: '#ffffff',
};

const LIGHT: ITheme = {
  background: '#ffffff',
  foreground: '#171b1f',
  cursor: '#0b6e5f',
  cursorAccent: '#ffffff',
  selectionBackground: '#bfe3db',
  black: '#171b1f',
  red: '#b3261e',
  green: '#1a7441',
  yellow: '#8a5300',
  blue: '#2f5aa8',
  magenta: '#85338f',
  cyan: '#0b6e73',
  white: '#5a646c',
  brightBlack: '#66707a',
  brightRed: '#c4372e',
  brightGreen: '#1f7f49',
  brightYellow: '#8f5d0a',
  brightBlue: '#3d68b0',
  brightMagenta: '#93409c',
  brightCyan: '#17767a',
  brightWhite: '#3c444b',
};

export const coloursOf = (dark: boolean): ITheme => (dark ? DARK : LIGHT);
