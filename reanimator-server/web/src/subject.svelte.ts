/** What the page is about, for the window's title: a host's or a guest's name. */
class Subject {
  #name = $state('');

  get name(): string {
    return this.#name;
  }

  /** To be called while a component begins; holds until it goes. */
  is(name: () => string): void {
    $effect(() => {
      this.#name = name();
      return () => (this.#name = '');
    });
  }
}

export const subject = new Subject();
