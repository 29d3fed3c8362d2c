/**
 * What a recipe's field can be: kinds of values, ranges, defaults and their sources. Methods and objectives describe their own
 * fields with these types (src/methods, src/objectives), the other sections are in recipe/sections/.
 */

/** Another default (or help, or range) if other fields have certain values. The first match counts. */
export interface Variant<T> {
  /** Recipe path -> values: every path has one of its values. */
  when: Record<string, readonly unknown[]>;
  default?: T;
  help?: string;
  source?: string;
  usual?: [number, number];
  word?: ModulesField['word'];
}

interface Common<T> {
  /** For people who do not know the field's own name, which is the last part of its path. */
  label: string;
  /** One line. */
  help: string;
  default: T;
  /** Where the default comes from. */
  source: string;
  /**
   * In `method` and `objective`: the types that have this field (the catalogue fills it in; other types refuse it). In
   * `training`: the methods, optimisers or schedules under which the field has an effect. All of them if left out.
   */
  for?: readonly string[];
  variants?: readonly Variant<T>[];
  /** Shown with the settings against overfitting and forgetting. */
  group?: 'regularisation';
}

export interface NumberField extends Common<number> {
  kind: 'number' | 'int';
  min: number;
  max: number;
  /** The bound itself is not allowed. */
  above?: true;
  below?: true;
  /** What an arrow key adds in the form. */
  step: number;
  /** The usual range; a value far outside it is allowed, with a note. */
  usual?: [number, number];
}
export interface SelectField extends Common<string> {
  kind: 'select';
  options: { value: string; label: string }[];
}
export interface BoolField extends Common<boolean> {
  kind: 'bool';
}
/** true, false, or `auto`, which leaves it to what the run needs. */
export interface AutoBoolField extends Common<boolean | 'auto'> {
  kind: 'auto_bool';
  /** What each choice does, in a few words. */
  options: { auto: string; true: string; false: string };
}
/** A line of text; `null` is allowed where the default is null. */
export interface TextField extends Common<string | null> {
  kind: 'text';
  placeholder?: string;
}
/** A whole number, or a word that leaves it to Tabtune: `auto` or null, whichever the default is. */
export interface LengthField extends Common<number | 'auto' | null> {
  kind: 'length';
  min: number;
  max: number;
  step: number;
  usual?: [number, number];
  placeholder?: string;
}
/** A list of module names, or the word that stands for those that suit the model; null: a list only. */
export interface ModulesField extends Common<'all-linear' | 'auto' | string[]> {
  kind: 'modules';
  word: 'all-linear' | 'auto' | null;
}
/** Module name -> number. */
export interface PatternField extends Common<Record<string, number>> {
  kind: 'pattern';
  whole: boolean;
  min: number;
  max: number;
  above?: true;
}
/** Part of an example -> column of the file, or null. */
export interface ColumnsField extends Common<Record<string, string> | null> {
  kind: 'columns';
}
export type FieldSpec =
  | NumberField
  | SelectField
  | BoolField
  | AutoBoolField
  | TextField
  | LengthField
  | ModulesField
  | PatternField
  | ColumnsField;

/** `select` options from a record of labels. */
export const options = (labels: Record<string, string>) =>
  Object.entries(labels).map(([value, label]) => ({ value, label }));

/** Why a value cannot be used: where it is, what is wrong, what to change. */
export interface Refusal {
  /** Path in the recipe. */
  where: string;
  message: string;
  action?: string;
}

/** What the checks have to know of a model. */
export interface CombinedModel {
  title: string;
  /** Decoders write text; encoders read the whole text at once. */
  kind: 'decoder' | 'encoder';
  /** How most of its weights are stored (`BF16`, `Q4_K_M`); irrelevant if left out. */
  dtype?: string;
  /** Whether it has a language modelling head; assumed if left out. */
  hasHead?: boolean;
}

/** Another default of a field that a method or objective does not own, under this method or objective. */
export type OtherDefault = Omit<Variant<unknown>, 'when'>;

/** What the rest of the code asks of a method without knowing which one it is. */
export interface MethodTraits {
  type: string;
  label: string;
  /** Where it comes in lists and on the screen: lowest first, the lowest is the default. */
  order: number;
  /** What learns: tensors added to a frozen model, the model's own weights, or only the objective's head. */
  trains: 'adapter' | 'weights' | 'head';
  /** Virtual tokens come before every text. */
  virtualTokens: boolean;
  /** What is learned is a change of weights and can be added to them. */
  merges: boolean;
  /** Before the first step the tuned model equals the base. */
  beginsAsBase: boolean;
}

/** What the rest of the code asks of an objective without knowing which one it is. */
export interface ObjectiveTraits {
  type: string;
  label: string;
  /** What the data teach: answers to prompts, text as such, or labels (through a new head). */
  learns: 'answers' | 'text' | 'labels';
  /** The tuned model writes text. */
  writes: boolean;
}
