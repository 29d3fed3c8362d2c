/** Generates docs/METHODS.md: the matrix from the recipe's checks, and the facts about each method from src/methods. */
import { costWords, methodGroups } from '../../../src/app/components/recipe/method-cards';
import type { ErrorData } from '../../../src/base/errors';
import type { MethodVariant, Paper } from '../../../src/methods/method';
import { type CombinedModel, combinationProblem } from '../../../src/recipe/compatibility';
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

/** Refusals in order of first appearance, without duplicates. */
class Numbered {
  readonly all: ErrorData[] = [];

  numberOf(problem: ErrorData): number {
    const same = ({ where, message }: ErrorData) => where === problem.where && message === problem.message;
    const at = this.all.findIndex(same);
    return at >= 0 ? at + 1 : this.all.push(problem);
  }
}

/** Notes below a matrix. */
const NOTES: Partial<Record<ObjectiveType, string>> = {
  token_classification:
    'transformers 5.23 has no token classification class for `gemma3_text`, so such adapters and models open only in Tabtune.',
};

function matrices(numbered: Numbered): string {
  return OBJECTIVES.map((objective) => {
    const rows = FAMILIES.map((family) => [
      `\`${family.name}\``,
      ...METHODS.map((method) => {
        const cell = CELLS.find((c) => c.family === family && c.method === method && c.objective === objective)!;
        const problem = problemOf(cell);
        return problem ? `[${numbered.numberOf(problem)}](#reasons)` : '✓';
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

/** One example of each refusal that depends on the weights or an option. */
const OPTIONS: { what: string; input: Omit<RecipeInput, 'version'>; model?: Partial<CombinedModel> }[] = [
  {
    what: 'Training all weights of a model quantised to four bits',
    input: { method: { type: 'full' }, model: { quantization: 'nf4' } },
  },
  {
    what: 'Training all weights of a quantised GGUF file',
    input: { method: { type: 'gradual_unfreezing' } },
    model: { dtype: 'Q4_K_M' },
  },
  {
    what: 'PiSSA on quantised weights',
    input: { method: { type: 'lora', init_lora_weights: 'pissa' }, model: { quantization: 'nf4' } },
  },
  {
    what: 'Masked language modelling on an encoder without a language modelling head',
    input: { objective: { type: 'masked_lm' } },
    model: { kind: 'encoder', hasHead: false },
  },
  {
    what: 'Packing for a classifier',
    input: { objective: { type: 'sequence_classification' }, dataset: { packing: true } },
  },
  {
    what: 'Packing with virtual tokens',
    input: { method: { type: 'prompt_tuning' }, dataset: { packing: true } },
  },
  { what: 'EWC with a frozen base', input: { method: { type: 'lora' }, training: { ewc_lambda: 1 } } },
  { what: 'L2-SP with a frozen base', input: { method: { type: 'ia3' }, training: { l2_sp_alpha: 1 } } },
  {
    what: 'EWC on an encoder without a language modelling head',
    input: {
      method: { type: 'full' },
      objective: { type: 'sequence_classification' },
      training: { ewc_lambda: 1 },
    },
    model: { title: 'the model', kind: 'encoder', hasHead: false },
  },
  {
    what: 'Replay for a classifier',
    input: { objective: { type: 'token_classification' }, training: { replay_ratio: 0.1 } },
  },
  {
    what: 'Replay without base text',
    input: { model: { source: 'hf:ORG/NAME' }, training: { replay_ratio: 0.1 } },
  },
  {
    what: 'Label smoothing for a reward model',
    input: { objective: { type: 'reward' }, training: { label_smoothing_factor: 0.1 } },
  },
  {
    what: 'Label smoothing for regression',
    input: {
      objective: { type: 'sequence_classification', problem_type: 'regression' },
      training: { label_smoothing_factor: 0.1 },
    },
  },
];

/** Throws if one of them is no longer refused. */
function options(): string {
  const rows = OPTIONS.map(({ what, input, model }) => {
    const problem = combinationProblem(fill({ version: 1, ...input }), combined({ kind: 'decoder' }, model));
    if (!problem) throw new Error(`${what}: not refused`);
    const { where, message, action } = problem;
    return [what, `\`${where}\``, `${sentence(message)} ${action ?? ''}`.trimEnd()];
  });
  return table(['Combination', 'Field', 'Refusal'], rows);
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

Which method works with which model family and objective, and what each method costs. This page is generated by \`npm run docs\`
from the recipe's checks (\`src/recipe/compatibility.ts\`) and the descriptors in \`src/methods\` and \`src/objectives\`; a test fails if
it is out of date.

## Compatibility

Rows are model families, by Hugging Face's \`model_type\`. Each ✓ is a test (\`tests/unit/matrix\`): a few training steps on a tiny
model of the family, after which the loss has fallen, only the tensors that the method trains have changed, and the saved files,
loaded again, give bit-identical outputs. For text classification, the tests of each family and of each method cover all three
problem types: single-label, multi-label and regression. A number links to the reason for a refusal, which Tabtune reports before
any long work starts. Encoders are tested with their language modelling head. Classifiers on bare encoders, the form in which
sentence encoders are published, and DoRA, PiSSA and rsLoRA have tests of the same kind.

${matrix}

### Reasons

${refusals(numbered)}

### Options and weights

${options()}

## The methods

${methods()}
`;
}
