/** A model that cannot generate text: it opens and shows its facts, and a run that needs answers is refused. */
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from '@playwright/test';
import { chat, keepRecipe } from './page';
import { expectReady, startButton } from './support/studio';

const fixture = 'tests/fixtures/families/bert';

/** A vocabulary with as many tokens as the fixture's embedding has rows. */
function wordPieces(): string {
  const special = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'];
  const words = Array.from({ length: 62 }, (_, i) => `word${i}`);
  return JSON.stringify({
    added_tokens: special.map((content, id) => ({ id, content, special: true, normalized: false })),
    normalizer: { type: 'BertNormalizer', lowercase: true },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      vocab: Object.fromEntries([...special, ...words].map((token, id) => [token, id])),
    },
  });
}

test('an encoder opens and shows its facts, and training it on answers is refused', async ({ page }) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'tabtune-encoder-'));
  try {
    for (const name of ['config.json', 'model.safetensors']) {
      copyFileSync(path.join(fixture, name), path.join(folder, name));
    }
    writeFileSync(path.join(folder, 'tokenizer.json'), wordPieces());
    await keepRecipe(page, chat);
    await page.goto('/');
    await expectReady(page);
    const choosing = page.waitForEvent('filechooser');
    await page.getByRole('button', { name: 'Open model folder' }).click();
    await (await choosing).setFiles(folder);

    const model = page.getByRole('region', { name: 'Model', exact: true });
    await model.getByText('Details', { exact: true }).click();
    await expect(model).toContainText('2 layers, width 24');
    await expect(model).toContainText('bert');
    await expect(page.getByText(/reads text but does not generate it/).first()).toBeVisible();
    await expect(startButton(page)).toHaveAttribute('aria-disabled', 'true');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
