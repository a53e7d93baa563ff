/** While something is being carried out, how far it got is asked for often. */
const EVERY_MS = 2000;

/** To be called while a component begins. */
export function often(open: () => boolean, refresh: () => void): void {
  const going = $derived(open());
  $effect(() => {
    if (!going) return;
    const timer = setInterval(refresh, EVERY_MS);
    return () => clearInterval(timer);
  });
}
