export const onestorage = {};
