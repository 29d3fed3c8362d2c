/**
 * For models without a template, which were not trained to chat. Roles are plain words, because such a model has no
 * special tokens for them, and EOS ends an answer. The space after "Assistant:" is part of the answer, because BPE
 * vocabularies attach a space to the following word.
 */
export const PLAIN_CHAT_TEMPLATE =
  "{% for message in messages %}{% if not loop.first %}{{ '\\n\\n' }}{% endif %}" +
  "{% if message.role == 'assistant' %}{{ 'Assistant: ' + message.content }}{% if eos_token %}{{ eos_token }}{% endif %}" +
  "{% elif message.role == 'user' %}{{ 'User: ' + message.content }}" +
  "{% elif message.role == 'tool' %}{{ 'Tool: ' + message.content }}" +
  '{% else %}{{ message.content }}{% endif %}{% endfor %}' +
  "{% if add_generation_prompt %}{{ '\\n\\nAssistant:' }}{% endif %}";
