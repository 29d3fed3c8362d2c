/**
 * The kinds of fields in a recipe: values, ranges, defaults and their sources. Methods and objectives describe their own fields
 * with these types (src/methods, src/objectives); the other sections do so in recipe/catalogue/.
 */

/** A different default, help or range when other fields have certain values. The first match wins. */
export interface Variant<T> {
  /** Recipe path -> values. Matches when every path has one of its values. */
  when: Record<string, readonly unknown[]>;
  default?: T;
  help?: string;
  source?: string;
  usual?: [number, number];
  word?: ModulesField['word'];
  /** Fields of several types may differ in their values as well. */
  kind?: FieldSpec['kind'];
  options?: SelectField['options'];
  min?: number;
  max?: number;
  above?: true;
  below?: true;
  step?: number;
}

interface Common<T> {
  /** A readable name, shown next to the field's own name (the last part of its path). */
  label: string;
  /** One line. */
  help: string;
  default: T;
  /** Where the default comes from. */
  source: string;
  /**
   * In `method` and `objective`: the types that have this field, filled in by the catalogue; other types refuse it. In
   * `training`: the methods, optimisers or schedules under which the field has an effect. Omitted: all of them.
   */
  for?: readonly string[];
  variants?: readonly Variant<T>[];
  /** Shown with the settings that counter overfitting and forgetting. */
  group?: 'regularisation';
}

export interface NumberField extends Common<number> {
  kind: 'number' | 'int';
  min: number;
  max: number;
  /** The bound itself is excluded. */
  above?: true;
  below?: true;
  /** Increment of the arrow keys in the form. */
  step: number;
  /** The usual range. A value far outside it is allowed, but gets a note. */
  usual?: [number, number];
}
export interface SelectField extends Common<string> {
  kind: 'select';
  options: { value: string; label: string }[];
}
export interface BoolField extends Common<boolean> {
  kind: 'bool';
}
/** true, false, or `auto`, which decides by what the run needs. */
export interface AutoBoolField extends Common<boolean | 'auto'> {
  kind: 'auto_bool';
  /** A few words on each choice. */
  options: { auto: string; true: string; false: string };
}
/** A line of text; `null` is allowed if the default is null. */
export interface TextField extends Common<string | null> {
  kind: 'text';
  placeholder?: string;
}
/** A whole number, or the default, `auto` or null, which lets Tabtune choose. */
export interface LengthField extends Common<number | 'auto' | null> {
  kind: 'length';
  min: number;
  max: number;
  step: number;
  usual?: [number, number];
  placeholder?: string;
}
/** Rows of the dataset, `3,7-9,120`; null is none. */
export interface RowsField extends Common<string | null> {
  kind: 'rows';
}
/** Any of the options. */
export interface ListField extends Common<string[]> {
  kind: 'list';
  options: { value: string; label: string }[];
}
/** Numbers, one for each entry of another list; `null` is allowed if the default is null. */
export interface NumbersField extends Common<number[] | null> {
  kind: 'numbers';
  min: number;
  max: number;
  placeholder?: string;
}
/** A list of module names, or a word for those that suit the model. If `word` is null, only a list is allowed. */
export interface ModulesField extends Common<'all-linear' | 'auto' | string[]> {
  kind: 'modules';
  word: 'all-linear' | 'auto' | null;
}
/** Name -> number. */
export interface PatternField extends Common<Record<string, number>> {
  kind: 'pattern';
  /** What is named; modules if left out. */
  keys?: 'datasets';
  whole: boolean;
  min: number;
  max: number;
  above?: true;
}
/** Part of an example -> column of the file; or null. */
export interface ColumnsField extends Common<Record<string, string> | null> {
  kind: 'columns';
}
/** Text of several lines. */
export interface CodeField extends Common<string> {
  kind: 'code';
  language: 'javascript' | 'json';
}
/** Texts, one a line. */
export interface LinesField extends Common<string[]> {
  kind: 'lines';
}
/** Rewards of an answer: each an object with a type, a weight, a name and fields of its own (src/rewards). */
export interface RewardsField extends Common<readonly object[]> {
  kind: 'rewards';
}
export type FieldSpec =
  | NumberField
  | SelectField
  | BoolField
  | AutoBoolField
  | TextField
  | LengthField
  | ListField
  | NumbersField
  | RowsField
  | ModulesField
  | PatternField
  | ColumnsField
  | CodeField
  | LinesField
  | RewardsField;

/** `select` options from a record of labels. */
export const options = (labels: Record<string, string>) =>
  Object.entries(labels).map(([value, label]) => ({ value, label }));

/** Why a value cannot be used: where it is, what is wrong, and what to change. */
export interface Refusal {
  /** Path in the recipe. */
  where: string;
  message: string;
  action?: string;
}

/** What the checks need to know about a model. */
export interface CombinedModel {
  title: string;
  /** Decoders generate text; encoders read the whole text at once. */
  kind: 'decoder' | 'encoder';
  /** How most of its weights are stored (`BF16`, `Q4_K_M`); not checked if omitted. */
  dtype?: string;
  /** Whether it has a language modelling head; assumed if omitted. */
  hasHead?: boolean;
}

/** A method's or objective's own default for a field of another section. */
export type OtherDefault = Omit<Variant<unknown>, 'when'>;

/** Trainers whose configs are written (recipe/conversion). */
export type ConfigTrainer = 'axolotl' | 'llamafactory' | 'trl';

/** What the rest of the code can ask of any method. */
export interface MethodTraits {
  type: string;
  label: string;
  /** Position in lists and on the screen, lowest first; the lowest is the default. */
  order: number;
  /** What is trained: tensors added to a frozen model, the model's own weights, or only the objective's head. */
  trains: 'adapter' | 'weights' | 'head';
  /** Puts virtual tokens before every text. */
  virtualTokens: boolean;
  /** Learns a change of the weights, which can be merged into them. */
  merges: boolean;
  /** Before the first step the tuned model equals the base model. */
  beginsAsBase: boolean;
  /** Trainers whose configs have it too; recipe/conversion says how. Left out: none. */
  trainers?: readonly ConfigTrainer[];
}

/** What the rest of the code can ask of any objective. */
export interface ObjectiveTraits {
  type: string;
  label: string;
  /** As in MethodTraits. */
  order: number;
  /** What the data teach: answers to prompts, plain text, or labels (through a new head). */
  learns: 'answers' | 'text' | 'labels';
  /** From which answers are better, not from answers to copy: it takes far smaller steps. */
  compares?: true;
  /** The tuned model generates text. */
  writes: boolean;
  /** Trainers whose configs have it too; recipe/conversion says how. Left out: none. */
  trainers?: readonly ConfigTrainer[];
}
