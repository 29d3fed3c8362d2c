/** JSON schemas. Apart from the reward, because the library is loaded only when a recipe has a schema. */
import { type Schema, Validator } from '@cfworker/json-schema';
import { TabtuneError } from '../base/errors';
import { parseUntrusted } from '../base/json';

/** Says of a value whether it matches. Throws bad_recipe for a schema that points to what it does not have. */
export function schemaCheck(text: string): (value: unknown) => boolean {
  try {
    const validator = new Validator(parseUntrusted(text) as Schema, '2020-12', true);
    // A reference to nowhere is found only when something is checked.
    validator.validate(null);
    return (value) => validator.validate(value).valid;
  } catch (cause) {
    throw TabtuneError.from(cause, {
      code: 'bad_recipe',
      message: `The JSON schema cannot be used (${cause instanceof Error ? cause.message : cause}).`,
      where: 'objective.rewards',
      action: 'Use JSON schema 2020-12, with every $ref inside the schema itself.',
    });
  }
}
