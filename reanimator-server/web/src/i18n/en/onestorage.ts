export const onestorage = {
  room: 'Room',
};
