export const onestorage = {
  room: 'Room',
  history: 'History',
  itCannotBeUsedNow: 'It cannot be used now',
  thereIsNoSuchStorage: 'There is no such storage',
};
