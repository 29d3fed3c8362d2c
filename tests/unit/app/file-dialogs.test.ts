/** Files that are chosen in a dialog when the code that opens them cannot be fetched. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

// As an import fails whose chunk cannot be fetched.
vi.mock('../../../src/stores/drop', () => {
  throw new TypeError('Failed to fetch dynamically imported module');
});

const input = { files: null as unknown, onchange: (): unknown => null, click() {} };

beforeEach(() => {
  vi.stubGlobal('document', { createElement: () => input });
  vi.stubGlobal('location', { hash: '#/recipe', pathname: '/', search: '' });
  vi.stubGlobal('window', { location: globalThis.location });
});
afterEach(() => void vi.unstubAllGlobals());

it('says so on the page, with what to do', async () => {
  const { pickRecipe } = await import('../../../src/app/util/fileDialogs');
  const { useScreen } = await import('../../../src/stores/screen');
  pickRecipe();
  input.files = [new File(['{}'], 'recipe.json')];
  // Rejects where nobody catches it.
  await input.onchange();
  expect(useScreen.getState().error).toMatchObject({
    message: 'A part of Tabtune could not be loaded.',
    action: 'Check the connection and try again, or reload the page.',
  });
});
