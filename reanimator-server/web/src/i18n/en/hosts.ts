export const hosts = {};
