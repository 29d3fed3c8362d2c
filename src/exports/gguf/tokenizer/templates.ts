/** Chat templates, the default one and those for other uses, such as tools. */
import { type GgufPairs, string, strings } from '../entries';
import { isObject, list } from './json';

/** `jinja`: chat_template.jinja, which counts as in transformers if there is one. `given`: tokenizer_config.json's. */
export function templatePairs(jinja: string | null, given: unknown): GgufPairs {
  const named = list(given).flatMap((one) =>
    isObject(one) && typeof one.name === 'string' && typeof one.template === 'string'
      ? [{ name: one.name.replace(/[^a-zA-Z0-9]/g, '_'), template: one.template }]
      : [],
  );
  const others = named.filter(({ name }) => name !== 'default');
  const own = typeof given === 'string' ? given : named.find(({ name }) => name === 'default')?.template;
  const main = jinja !== null && jinja.trim() !== '' ? jinja : own;
  return [
    ...others.map(({ name, template }): GgufPairs[number] => [`tokenizer.chat_template.${name}`, string(template)]),
    ...(others.length > 0
      ? ([['tokenizer.chat_templates', strings(others.map(({ name }) => name))]] as GgufPairs)
      : []),
    ...(main !== undefined && main.trim() !== '' ? ([['tokenizer.chat_template', string(main)]] as GgufPairs) : []),
  ];
}
