/** For a model card: what a recipe made, in words, in the Hub's tags and as Python that opens it. */
import { sortsByLabel } from '../recipe/kinds';
import type { MethodType, ObjectiveType, Recipe } from '../recipe/types';

/** A Python string literal; JSON's escapes mean the same there. */
const python = (text: string): string => JSON.stringify(text);

const methods: Record<MethodType, string> = {
  lora: 'A LoRA adapter',
  ia3: 'An (IA)³ adapter',
  bottleneck: 'A bottleneck adapter',
  prefix_tuning: 'A learned prefix (prefix tuning)',
  prompt_tuning: 'A learned prompt (prompt tuning)',
  p_tuning: 'A learned prompt (P-tuning)',
  full: 'All weights',
  head: 'A classification head',
  gradual_unfreezing: 'All weights, unfrozen one block after another,',
};

/** "A LoRA adapter"; DoRA where that was used. */
export function methodWords({ method }: Pick<Recipe, 'method'>): string {
  return method.type === 'lora' && method.use_dora ? 'A DoRA adapter' : methods[method.type];
}

export const isAdapterHub = ({ method }: Pick<Recipe, 'method'>): boolean => method.type === 'bottleneck';

const tasks: Record<ObjectiveType, { tag: string; auto: string }> = {
  sft: { tag: 'text-generation', auto: 'AutoModelForCausalLM' },
  pretraining: { tag: 'text-generation', auto: 'AutoModelForCausalLM' },
  sequence_classification: { tag: 'text-classification', auto: 'AutoModelForSequenceClassification' },
  token_classification: { tag: 'token-classification', auto: 'AutoModelForTokenClassification' },
  masked_lm: { tag: 'fill-mask', auto: 'AutoModelForMaskedLM' },
};

/** The Hub's `pipeline_tag`. */
export const pipelineTag = ({ objective }: Pick<Recipe, 'objective'>): string => tasks[objective.type].tag;

/** Whether a loss is of tokens, so that it has a perplexity. */
export const isLanguageModelling = ({ objective }: Pick<Recipe, 'objective'>): boolean => !sortsByLabel(objective.type);

const asked: Record<ObjectiveType, string> = {
  sft: `inputs = tokenizer("Hello", return_tensors="pt")
output = model.generate(**inputs, max_new_tokens=100)
print(tokenizer.decode(output[0], skip_special_tokens=True))`,
  pretraining: `inputs = tokenizer("Once upon a time", return_tensors="pt")
output = model.generate(**inputs, max_new_tokens=100)
print(tokenizer.decode(output[0], skip_special_tokens=True))`,
  sequence_classification: `inputs = tokenizer("A text to sort", return_tensors="pt")
print(model(**inputs).logits)  # one score for each label`,
  token_classification: `inputs = tokenizer("Some words to mark".split(), is_split_into_words=True, return_tensors="pt")
print(model(**inputs).logits)  # a row of scores for each token`,
  masked_lm: `inputs = tokenizer(f"Paris is the {tokenizer.mask_token} of France.", return_tensors="pt")
print(model(**inputs).logits)`,
};

/** Python that opens an adapter's folder on its base and asks it something. */
export function adapterCode(recipe: Recipe, base: string, labels: readonly string[] = []): string {
  const { auto } = tasks[recipe.objective.type];
  const hub = isAdapterHub(recipe);
  const headed = !isLanguageModelling(recipe);
  const sizes = headed ? ', num_labels=len(labels), id2label=dict(enumerate(labels))' : '';
  return [
    hub ? 'import adapters' : 'from peft import PeftModel',
    `from transformers import ${auto}, AutoTokenizer`,
    '',
    `base = ${python(base)}`,
    'adapter = "."  # the folder of this file',
    ...(sizes ? [`labels = [${labels.map(python).join(', ')}]`] : []),
    '',
    'tokenizer = AutoTokenizer.from_pretrained(base)',
    `model = ${auto}.from_pretrained(base${sizes})`,
    ...(hub
      ? [
          'adapters.init(model)',
          'name = model.load_adapter(adapter, use_safetensors=True)',
          'model.set_active_adapters(name)',
        ]
      : ['model = PeftModel.from_pretrained(model, adapter)']),
    '',
    asked[recipe.objective.type],
  ].join('\n');
}

/** Python that opens a model's folder. */
export function modelCode(recipe: Recipe | null): string {
  const { auto } = tasks[recipe?.objective.type ?? 'sft'];
  return `from transformers import ${auto}, AutoTokenizer

folder = ${python('.')}  # the folder of this file
tokenizer = AutoTokenizer.from_pretrained(folder)
model = ${auto}.from_pretrained(folder)`;
}
