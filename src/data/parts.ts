/**
 * The parts that an example is made of, and the column names that people give them. Detection, the menus on the screen and
 * the recipe's `dataset.columns` all read this table.
 */
import type { DatasetFormat } from '../recipe/sections';

export interface PartSpec {
  /** On the screen. */
  label: string;
  /** Column names, best first. They are compared without case, accents and anything but letters and digits. */
  names: readonly string[];
  /** Spread over several columns, mapped as `part.NAME` each. */
  many?: true;
}

/** As column names are compared. */
export const plainName = (name: string) =>
  name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, '');

const names = (list: string): readonly string[] => [...new Set(list.trim().split(/\s+/).map(plainName))];

const messages = names(`
  messages conversations conversation chat chats dialog dialogue dialogs dialogues turns contents history thread transcript
`);
const promptNames = names(`
  prompt prompts question questions query queries input inputs instruction instructions problem request user human source src
  q usermessage userprompt userquery userquestion userrequest customer customermessage userinput inputtext article document task message goal questiontext
  frage fragen pregunta preguntas domanda domande pergunta perguntas vraag vragen pytanie soru вопрос вопросы запрос 问题
  問題 提问 質問 질문 سؤال प्रश्न คำถาม anfrage enonce consigne
`);
const answerNames = names(`
  completion completions answer answers response responses output outputs reply replies solution assistant target chosen a
  bot gpt tgt summary summaries highlights abstract targettext outputtext agentresponse botresponse ouranswer ourreply modeloutput
  assistantmessage assistantresponse answertext sql translation correctanswer goldanswer referenceanswer bestanswer answerkey
  expectedoutput expectedanswer final finalanswer
  antwort antworten respuesta respuestas reponse reponses risposta risposte resposta respostas antwoord antwoorden
  odpowiedz cevap ответ ответы 答案 回答 答え 応答 답변 대답 답 جواب उत्तर คำตอบ
`);
const chosenNames = names(`
  chosen chosenresponse responsechosen chosenanswer chosencompletion chosenoutput preferred preferredoutput preferredresponse
  preferredanswer better betterresponse betteranswer bestresponse winner winnerresponse winningresponse win accepted acceptedanswer
  goodanswer goodresponse good positive positiveresponse outputchosen answerchosen selected
`);
const rejectedNames = names(`
  rejected rejectedresponse responserejected rejectedanswer rejectedcompletion rejectedoutput nonpreferred nonpreferredoutput
  nonpreferredresponse dispreferred dispreferredoutput worse worseresponse worseanswer worst loser loserresponse losingresponse
  lose bad badanswer badresponse negative negativeresponse wronganswer wrong incorrectanswer incorrectanswers outputrejected answerrejected
`);

const table = {
  messages: { label: 'Conversation', names: messages },
  conversations: { label: 'Conversation', names: messages },
  instruction: {
    label: 'Instruction',
    names: names(
      `instruction instructions ${promptNames.filter((name) => name !== 'input' && name !== 'inputs').join(' ')}`,
    ),
  },
  prompt: { label: 'Prompt', names: promptNames },
  input: {
    label: 'Context',
    names:
      names(`input context inputs contexts passage passages background paragraph evidence documents document article retrievedcontext retrievedcontexts
      retrieveddocuments retrieved knowledge schema transcript sourcedocument supportingtext kontext contexte contexto
      contesto контекст 上下文 背景 文脈`),
  },
  system: {
    label: 'System prompt',
    names: names('system systemprompt systemmessage systeminstruction systeminstructions sysprompt systemmsg'),
  },
  history: {
    label: 'Earlier turns',
    names: names('history previousturns chathistory conversationhistory dialoghistory'),
  },
  output: { label: 'Answer', names: answerNames },
  completion: { label: 'Answer', names: answerNames },
  chosen: { label: 'Better answer', names: chosenNames },
  rejected: { label: 'Worse answer', names: rejectedNames },
  /** Two answers to one prompt, and which of them is better. */
  answers: { label: 'Answers to compare', names: [], many: true },
  winner: {
    label: 'Which answer is better',
    names: names(
      'winner preference preferred choice better best chosen label vote verdict overallpreference humanpreference',
    ),
  },
  score: {
    label: 'Scores of the answers',
    names: names('scores ratings rewards ranks score rating reward rank overallscores scorelist'),
    many: true,
  },
  margin: {
    label: 'By how much it is better',
    names: names('margin margins preferencemargin scoremargin chosenmargin preferencestrength strength'),
  },
  /** Beside prompts that the model answers itself: an expected answer, say. */
  columns: { label: 'For rewards', names: [], many: true },
  thoughts: {
    label: 'Thoughts before the answer',
    names:
      names(`thoughts thought thinking think reasoning reasoningcontent chainofthought cot complexcot thinkingtrace reasoningtrace
      thinkingcontent deepseekreasoning deepseekthinkingtrajectory`),
  },
  choices: {
    label: 'Choices',
    names: names('choices options endings alternatives answerchoices candidates'),
    many: true,
  },
  text: {
    label: 'Text',
    names: names(`
      text texts sentence sentences content contents review reviews tweet tweets comment comments body reviewtext commenttext headline utterance
      message document passage description query question title article story post posts input prompt
      texte texto testo tekst kommentar comentario commentaire commento отзыв текст 文本 内容 评论 文章 テキスト 本文
      텍스트 문장 내용 نص
    `),
  },
  text_pair: {
    label: 'Second text',
    names: names(
      'textpair textb text2 sentence2 sentenceb hypothesis question2 questionb premise2 secondsentence secondtext',
    ),
  },
  label: {
    label: 'Label',
    names: names(`
      label labels class classes category categories sentiment sentiments intent intents topic topics emotion emotions labeltext target tag stars
      rating classname classindex spam labelname goldlabel kategorie klasse etikett categoria categorie classe etiqueta etiquette
      метка класс категория 标签 类别 類別 分类 ラベル カテゴリ 레이블 라벨 카테고리 تصنيف
    `),
    many: true,
  },
  /** Beside an answer: true where the answer is bad. `label` is true where it is good. */
  unwanted: { label: 'Marks bad answers', names: [] },
  tokens: { label: 'Words', names: names('tokens words tokenlist wordlist token word') },
  tags: {
    label: 'Tags',
    names: names('nertags tags nerlabels labels ner postags pos chunktags upostags upos xpos entities tag label'),
  },
  split: { label: 'Split', names: names('split subset partition fold set datasplit traintest') },
  images: { label: 'Pictures', names: names('images image picture pictures photo photos img imgs imagepath imageurl') },
  conversation: {
    label: 'Conversation number',
    names: names(`
      conversationid convid convoid chatid dialogid dialogueid sessionid threadid conversation dialog dialogue session thread
      chat ticketid ticket messagetreeid group groupid
    `),
  },
  role: { label: 'Role', names: names('role speaker author sender from authorrole speakerrole user who') },
  content: { label: 'Message', names: names('content text message body value utterance') },
  message_id: { label: 'Message number', names: names('messageid id msgid nodeid') },
  parent_id: {
    label: 'Number of the message before',
    names: names('parentid parent parentmessageid replyto inreplyto'),
  },
  order: {
    label: 'Order of messages',
    names: names(
      'turn turnid turnnumber turnindex messageindex position order idx step sequence createdat createdate timestamp time',
    ),
  },
  rank: { label: 'Rank of the answer', names: names('rank ranking') },
} as const satisfies Record<string, PartSpec>;

export type PartName = keyof typeof table;
export const parts: Record<PartName, PartSpec> = table;

export type Format = Exclude<DatasetFormat, 'auto'>;

interface FormatParts {
  /** Each list is enough for an example; the first is the usual one. */
  required: readonly (readonly PartName[])[];
  optional: readonly PartName[];
}

const beside: readonly PartName[] = ['label', 'unwanted', 'system', 'split', 'images'];

export const formatParts: Record<Format, FormatParts> = {
  messages: {
    required: [['messages'], ['role', 'content'], ['answers']],
    optional: ['completion', 'winner', 'score', ...beside, 'conversation', 'message_id', 'parent_id', 'order', 'rank'],
  },
  sharegpt: { required: [['conversations']], optional: ['completion', ...beside] },
  alpaca: {
    required: [['instruction', 'output']],
    optional: ['input', 'history', 'choices', 'winner', 'thoughts', ...beside],
  },
  prompt_completion: {
    required: [
      ['prompt', 'completion'],
      ['prompt', 'answers'],
    ],
    optional: ['winner', 'score', 'input', 'history', 'choices', 'thoughts', ...beside],
  },
  labelled: { required: [['text', 'label']], optional: ['text_pair', 'split', 'images'] },
  tagged: { required: [['tokens', 'tags']], optional: ['split'] },
  preference: {
    required: [
      ['prompt', 'chosen', 'rejected'],
      ['messages', 'chosen', 'rejected'],
      ['chosen', 'rejected'],
      ['prompt', 'answers'],
      ['answers'],
    ],
    optional: ['margin', 'winner', 'score', 'input', 'history', 'choices', 'system', 'split', 'images'],
  },
  unpaired_preference: {
    required: [
      ['prompt', 'completion', 'label'],
      ['prompt', 'completion', 'unwanted'],
      ['messages', 'label'],
      ['messages', 'unwanted'],
    ],
    optional: ['winner', 'input', 'history', 'choices', 'thoughts', 'system', 'split', 'images'],
  },
  prompt_only: {
    required: [['prompt'], ['messages']],
    optional: ['columns', 'input', 'history', 'choices', 'system', 'split', 'images'],
  },
  text: { required: [['text']], optional: ['split', 'images'] },
};

/** Every part of a format, the required ones first. */
export const partsOf = (format: Format): PartName[] => [
  ...new Set([...formatParts[format].required.flat(), ...formatParts[format].optional]),
];

/** The parts that `dataset.columns` may name. */
export const columnParts: Record<DatasetFormat, PartName[]> = {
  auto: [...new Set((Object.keys(formatParts) as Format[]).flatMap(partsOf))],
  messages: partsOf('messages'),
  sharegpt: partsOf('sharegpt'),
  alpaca: partsOf('alpaca'),
  prompt_completion: partsOf('prompt_completion'),
  labelled: partsOf('labelled'),
  tagged: partsOf('tagged'),
  preference: partsOf('preference'),
  unpaired_preference: partsOf('unpaired_preference'),
  prompt_only: partsOf('prompt_only'),
  text: partsOf('text'),
};

/** `label` of `label` and of `label.toxic`. */
export const partOf = (key: string) => key.split('.', 1)[0] as PartName;

/** Whether `dataset.columns` may have this key: a part, or `part.NAME` of one that several columns may hold. */
export function isPartKey(key: string, allowed: readonly string[]): boolean {
  const part = partOf(key);
  return allowed.includes(part) && (key === part || (Boolean(parts[part].many) && key.length > part.length + 1));
}
