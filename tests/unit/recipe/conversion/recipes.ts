/** Recipes at random, whole and without problems, for round trips through other trainers' configs. */
import { Stream, uniform } from '../../../../src/base/random';
import { checkRecipe } from '../../../../src/recipe/defaults';
import { type Field, field, fieldsOf, type RecipePath, sectionNames } from '../../../../src/recipe/fields';
import { lookupIn } from '../../../../src/recipe/schema';
import type { Recipe, RecipeInput } from '../../../../src/recipe/types';

type Draw = () => number;

const pick = <T>(draw: Draw, list: readonly T[]): T => list[Math.floor(draw() * list.length)]!;

function valueFor(spec: Field, draw: Draw): unknown {
  switch (spec.kind) {
    case 'number':
    case 'int':
    case 'length': {
      const [low, high] = ('usual' in spec ? spec.usual : undefined) ?? [spec.min, Math.min(spec.max, spec.min + 100)];
      const value = low + draw() * (high - low);
      const above = 'above' in spec && spec.above ? Math.max(value, Number.MIN_VALUE) : value;
      return spec.kind === 'number' ? Number(above.toPrecision(4)) || low : Math.round(above);
    }
    case 'select':
      return pick(draw, spec.options).value;
    case 'bool':
      return draw() < 0.5;
    case 'auto_bool':
      return pick(draw, [true, false]);
    case 'list': {
      const chosen = spec.options.filter(() => draw() < 0.15).map(({ value }) => value);
      return chosen.length > 0 ? chosen : spec.default;
    }
    case 'modules':
      // What is trained in full gets no adapter.
      return spec.word === null
        ? pick(draw, [[], ['embed_tokens']])
        : pick(draw, [spec.word, ['q_proj', 'v_proj'], ['down_proj']]);
    case 'pattern':
      return draw() < 0.5 ? {} : { 'layers.0.self_attn.q_proj': spec.whole ? 4 : 8.5, 'layers.1.mlp.up_proj': 2 };
    default:
      return undefined;
  }
}

/** About the file, which a config does not carry. */
const aboutFiles =
  /^dataset\.(source|format|columns|merge_labels|encoding|table|replace_|drop_|near_|leave_|mix|base_text)/;

/** A recipe of one method and objective; `seed` decides all of it. A field that does not suit the others gets its default. */
export function recipeAtRandom(method: string, objective: string, seed: number): Recipe {
  let counter = 0;
  const draw = () => uniform(seed, Stream.sample, counter++);
  const input: Record<string, Record<string, unknown>> = {
    model: { source: pick(draw, ['hf:org/name', 'hf:HuggingFaceTB/SmolLM2-135M@abc123']) },
    dataset: { source: 'file:data.jsonl', base_text: 'file:base.txt' },
    method: { type: method },
    objective: { type: objective },
    training: {},
  };
  const whole = () => ({ version: 1, ...input }) as unknown as RecipeInput;
  for (const section of sectionNames) {
    const type = section === 'method' ? method : section === 'objective' ? objective : undefined;
    for (const { key, field: plain } of fieldsOf(section, type)) {
      if (plain.kind === 'rewards') input[section]![key] = [{ type: 'think_format' }];
      if (key === 'type' || key === 'source' || aboutFiles.test(plain.path) || draw() < 0.5) continue;
      const value = valueFor(field(plain.path as RecipePath, lookupIn(whole())), draw);
      if (value !== undefined) input[section]![key] = value;
    }
  }
  for (let repair = 0; repair < 50; repair++) {
    const { recipe, problems } = checkRecipe(whole());
    if (recipe && problems.length === 0) return recipe;
    const [section, key] = problems[0]!.where.split('.') as [string, string];
    if (key === 'num_generations') input.training = { ...input.training, gradient_accumulation_steps: 12 };
    if (key === 'shuffle') input.dataset = { ...input.dataset, shuffle: false };
    else if (input[section]?.[key] === undefined) delete input.method!.init_lora_weights;
    else delete input[section]![key];
  }
  throw new Error(
    `No recipe of ${method} and ${objective} without problems: ${JSON.stringify(checkRecipe(whole()).problems)}`,
  );
}
