/** Words that every page uses. */
export const common = {
  yes: 'yes',
  no: 'no',
};
