/** Who speaks in a conversation: the four roles that chat templates know, under the names that files have for them. */
import { plainName } from './parts';

export type Role = 'system' | 'user' | 'assistant' | 'tool';

const NAMES: Record<Role, string> = {
  system: 'system developer instructions systeminstruction',
  user: `user human customer prompter client student patient caller visitor question questioner instruction inputter usuario utilisateur benutzer
    nutzer mensch utente gebruiker пользователь человек 用户 用戶 ユーザー 사용자 enduser requester`,
  assistant: `assistant gpt chatgpt bard bing claude bot model ai agent chatbot gemini llama llm assistent asistente assistente ассистент бот 助手
    アシスタント 어시스턴트 support tutor teacher doctor advisor operator response answer functioncall toolcall`,
  // ShareGPT's tool turns: the model writes the call, but not the result.
  tool: 'tool function observation functionresponse toolresponse toolresult ipython environment toolresults',
};

const ROLES: ReadonlyMap<string, Role> = new Map(
  Object.entries(NAMES).flatMap(([role, list]) => list.split(/\s+/).map((name) => [plainName(name), role as Role])),
);

export function roleOf(name: unknown): Role | undefined {
  return typeof name === 'string' ? ROLES.get(plainName(name)) : undefined;
}
