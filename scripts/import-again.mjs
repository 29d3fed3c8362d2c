/**
 * Chromium remembers that a module could not be fetched, for as long as the page lives: importing it again fails without asking.
 * Under another address it asks. So every import of a chunk that fails goes to `importAgain` (src/base/chunks.ts).
 *
 * @returns {import('vite').Plugin}
 */
export function importAgain() {
  return {
    name: 'import-again',
    apply: 'build',
    generateBundle: {
      order: 'post',
      handler(_options, bundle) {
        for (const file of Object.values(bundle)) {
          if (file.type !== 'chunk') continue;
          file.code = file.code.replaceAll(
            /\bimport\(([`"'])(\.\/[\w-]+\.js)\1\)/g,
            (whole, quote, name) =>
              `${whole}.catch(e=>globalThis.importAgain(e,new URL(${quote}${name}${quote},import.meta.url).href))`,
          );
        }
      },
    },
  };
}
