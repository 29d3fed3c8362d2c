/** docs/METHODS.md: the matrix as the recipe's checks have it, and what the descriptors in src/methods say of each method. */
import { costWords, methodGroups } from '../../../src/app/components/recipe/method-cards';
import type { ErrorData } from '../../../src/base/errors';
import type { MethodVariant, Paper } from '../../../src/methods/method';
import { type CombinedModel, combinationProblem } from '../../../src/recipe/combine';
import { fill } from '../../../src/recipe/defaults';
import { selectLabel } from '../../../src/recipe/fields';
import type { MethodType, ObjectiveType, RecipeInput } from '../../../src/recipe/types';
import { CELLS, combined, FAMILIES, METHODS, OBJECTIVES } from '../../parity/matrix/cells';
import { problemOf } from '../../parity/matrix/refusals';

const methodName = (type: MethodType) => selectLabel('method.type', type);
const objectiveName = (type: ObjectiveType) => selectLabel('objective.type', type);
const sentence = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
const table = (head: readonly string[], rows: readonly (readonly string[])[]) =>
  [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n');
const paper = ({ by, title, arxiv }: Paper) => `${by}, [${title}](https://arxiv.org/abs/${arxiv})`;

/** Refusals in the order in which they are met, each once. */
class Numbered {
  readonly all: ErrorData[] = [];

  numberOf(problem: ErrorData): number {
    const same = ({ where, message }: ErrorData) => where === problem.where && message === problem.message;
    const at = this.all.findIndex(same);
    return at >= 0 ? at + 1 : this.all.push(problem);
  }
}

/** What a mark does not say. */
const NOTES: Partial<Record<ObjectiveType, string>> = {
  token_classification:
    'transformers 5.23 has no class for tokens of `gemma3_text`: what is trained there opens in Tabtune alone.',
};

function matrices(numbered: Numbered): string {
  return OBJECTIVES.map((objective) => {
    const rows = FAMILIES.map((family) => [
      `\`${family.name}\``,
      ...METHODS.map((method) => {
        const cell = CELLS.find((c) => c.family === family && c.method === method && c.objective === objective)!;
        const problem = problemOf(cell);
        return problem ? `[${numbered.numberOf(problem)}](#why-not)` : '✓';
      }),
    ]);
    const note = NOTES[objective];
    const heading = `### ${objectiveName(objective)}: \`${objective}\``;
    return [heading, table(['', ...METHODS.map(methodName)], rows), ...(note ? [note] : [])].join('\n\n');
  }).join('\n\n');
}

const refusals = ({ all }: Numbered) =>
  all
    .map(({ where, message, action }, i) => `${i + 1}. \`${where}\`: ${sentence(message)} ${action ?? ''}`.trimEnd())
    .join('\n');

/** What depends on the weights or on an option, an example of each. */
const OPTIONS: { what: string; input: Omit<RecipeInput, 'version'>; model?: Partial<CombinedModel> }[] = [
  {
    what: 'Every weight is trained, of a model that is kept in four bits',
    input: { method: { type: 'full' }, model: { quantization: 'nf4' } },
  },
  {
    what: 'Every weight is trained, of a GGUF file in blocks',
    input: { method: { type: 'gradual_unfreezing' } },
    model: { dtype: 'Q4_K_M' },
  },
  {
    what: 'PiSSA on weights in blocks',
    input: { method: { type: 'lora', init_lora_weights: 'pissa' }, model: { quantization: 'nf4' } },
  },
  {
    what: 'Hidden words, with an encoder that has no head for tokens',
    input: { objective: { type: 'masked_lm' } },
    model: { kind: 'encoder', hasHead: false },
  },
  {
    what: 'Packing, for a classifier',
    input: { objective: { type: 'sequence_classification' }, dataset: { packing: true } },
  },
  {
    what: 'Packing, with learned places before each text',
    input: { method: { type: 'prompt_tuning' }, dataset: { packing: true } },
  },
  { what: 'EWC, with a frozen base', input: { method: { type: 'lora' }, training: { ewc_lambda: 1 } } },
  { what: 'L2-SP, with a frozen base', input: { method: { type: 'ia3' }, training: { l2_sp_alpha: 1 } } },
  {
    what: 'EWC, with an encoder that has no head for tokens',
    input: {
      method: { type: 'full' },
      objective: { type: 'sequence_classification' },
      training: { ewc_lambda: 1 },
    },
    model: { title: 'the model', kind: 'encoder', hasHead: false },
  },
  {
    what: 'Replay, for a classifier',
    input: { objective: { type: 'token_classification' }, training: { replay_ratio: 0.1 } },
  },
  {
    what: 'Replay, without text to replay',
    input: { model: { source: 'hf:ORG/NAME' }, training: { replay_ratio: 0.1 } },
  },
  {
    what: 'Label smoothing, for a number',
    input: {
      objective: { type: 'sequence_classification', problem_type: 'regression' },
      training: { label_smoothing_factor: 0.1 },
    },
  },
];

/** Throws where one of them is not refused any more. */
function options(): string {
  const rows = OPTIONS.map(({ what, input, model }) => {
    const problem = combinationProblem(fill({ version: 1, ...input }), combined({ kind: 'decoder' }, model));
    if (!problem) throw new Error(`${what}: not refused`);
    const { where, message, action } = problem;
    return [what, `\`${where}\``, `${sentence(message)} ${action ?? ''}`.trimEnd()];
  });
  return table(['What', 'Field', 'Refusal'], rows);
}

function methods(): string {
  return methodGroups
    .map(({ title, methods: own }) => {
      const sections = own.map(({ type, label, card, facts: { trained, saved, papers, variants } }) => {
        const facts = [
          ['Trained', trained],
          ['Memory', costWords(card.memory, null)],
          ['File', costWords(card.file, null)],
          ['Speed', card.speed],
          ['Saved as', saved],
          [papers.length > 1 ? 'Papers' : 'Paper', papers.map(paper).join('; ')],
        ];
        const list = facts.map(([key, value]) => `- ${key}: ${value}`).join('\n');
        const kin = variants ? `\n\n${kinOf(variants)}` : '';
        return `#### ${label}: \`${type}\`\n\n${card.text}\n\n${list}${kin}`;
      });
      return `### ${title}\n\n${sections.join('\n\n')}`;
    })
    .join('\n\n');
}

const kinOf = ({ title, list }: { title: string; list: readonly MethodVariant[] }) =>
  table(
    [title, 'Setting', 'What it does', 'Paper'],
    list.map(({ name, setting, changes, paper: from }) => [name, `\`${setting}\``, sentence(changes), paper(from)]),
  );

export function methodsPage(): string {
  const numbered = new Numbered();
  const matrix = matrices(numbered);
  return `# Methods

What can be trained with what, and what each method costs. This page is written by \`npm run docs\` from the recipe's checks
(\`src/recipe/combine.ts\`) and the checks and cards of \`src/methods\` and \`src/objectives\`; the tests fail while it says anything else.

## What goes with what

Families by Hugging Face's \`model_type\`. Each ✓ is a test (\`tests/unit/matrix\`): some steps on a tiny model of the family, in
which the loss falls, nothing moves but what the method trains, and the saved files, loaded again, give the same answers to the
last bit. Of classification of texts, each family and each method meets all three kinds: one class, several, and a number. A
figure is the reason why not, which Tabtune gives before anything long begins. Encoders are there with their head for tokens;
classifiers on bare ones, as encoders for sentences are published, and DoRA, PiSSA and rsLoRA are tested in the same way.

${matrix}

### Why not

${refusals(numbered)}

### Options and weights

${options()}

## The methods

${methods()}
`;
}
