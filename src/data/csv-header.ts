/**
 * Whether a table's first row names its columns. A header is not taken for granted: many public files (AG News, Sentiment140)
 * have none, and reading their first row as names would lose a row and find no column.
 */

/** Words that people use as names of columns, in the languages that most spreadsheets are written in. */
const NAMES = `
  id idx index number text texts label labels class classes category categories title titles content contents
  prompt prompts completion completions instruction instructions input inputs output outputs question questions
  answer answers response responses reply replies context contexts source sources target targets message messages
  conversation conversations chat chats dialog dialogue dialogues review reviews rating ratings sentiment sentiments summary
  summaries chosen rejected name names date dates timestamp url link score scores user assistant system query queries
  intent intents topic topics tag tags stars comment comments sentence sentences document documents article articles
  premise hypothesis split subject body description descriptions headline author language lang email tweet tweets
  frage fragen antwort antworten texte kategorie kategorien klasse klassen bewertung bewertungen titel nachricht nachrichten
  kommentar kommentare thema themen zeitstempel datum satz sätze beschreibung zusammenfassung anweisung eingabe ausgabe
  questions réponse réponses reponse reponses étiquette étiquettes catégorie catégories commentaire commentaires avis phrase
  phrases horodateur résumé sujet consigne entrée sortie
  pregunta preguntas respuesta respuestas texto textos etiqueta etiquetas categoría categorías categoria categorias mensaje
  mensajes comentario comentarios título títulos titulo tema temas fecha resumen reseña instrucción entrada salida
  pergunta perguntas resposta respostas rótulo rótulos mensagem mensagens comentário comentários classe resumo data
  avaliação instrução saída
  domanda domande risposta risposte testo testi etichetta etichette messaggio messaggi commento commenti titolo
  riassunto recensione istruzione
  vraag vragen antwoord antwoorden tekst pytanie pytania odpowiedź odpowiedzi tekst etykieta fråga svar soru cevap metin etiket
  вопрос вопросы ответ ответы текст тексты метка метки класс категория сообщение сообщения отзыв комментарий тема заголовок
  дата питання відповідь
  问题 问 提问 回答 答案 答 答复 文本 内容 标签 类别 分类 标题 评论 指令 输入 输出 提示 摘要 情感 问句 對話 对话
  問題 提問 回覆 標籤 類別 標題 內容
  質問 問い 質問文 回答文 返答 テキスト 文章 本文 ラベル カテゴリ カテゴリー タイトル 内容 コメント 指示 入力 出力 要約 感情 番号
  질문 답변 대답 응답 텍스트 내용 라벨 레이블 분류 카테고리 제목 리뷰 댓글 지시 입력 출력 요약 감정
  سؤال السؤال جواب الجواب إجابة الإجابة نص النص تصنيف שאלה תשובה טקסט प्रश्न उत्तर คำถาม คำตอบ ข้อความ
`;
const KNOWN = new Set(NAMES.trim().split(/\s+/));
/** Names that are as often contents; they count where every cell is a name. */
const WEAK = new Set('q a no nr num time'.split(' '));

const plain = (cell: string) =>
  cell
    .trim()
    .toLowerCase()
    .replace(/^[\s"'*#_:：]+|[\s"'*_:：]+$/g, '');

/** Whether a cell is a word that names columns, or several joined: “Questions”, “user_message”. */
export function isKnownName(cell: string): boolean {
  const name = plain(cell);
  return KNOWN.has(name) || (/^[\p{L}_.-]+$/u.test(name) && allKnown(name));
}

/** Names that contents have as well: “Title 1”, “Text message”. They count where every cell is a name. */
function isWeakName(cell: string): boolean {
  const name = plain(cell);
  return WEAK.has(name) || isKnownName(cell) || allKnown(name);
}

function allKnown(name: string): boolean {
  const parts = name.split(/[\s_\-./()（）]+/).filter((part) => part !== '' && !/^\d+$/.test(part));
  return parts.length > 0 && parts.length <= 3 && name.length <= 40 && parts.every((part) => KNOWN.has(part));
}

/** Whether the first record is a header, judged by known names and then by how it differs from the rows below. */
export function hasHeader(records: readonly (readonly string[])[]): boolean {
  const [first, ...others] = records;
  if (!first) return false;
  const names = first.map((cell) => cell.trim());
  const rest = others.slice(0, 100);
  // A class that is called “question” occurs again below; a name does not.
  const again = (name: string, i: number) => rest.some((r) => (r[i] ?? '').trim() === name);
  const known = names.filter((name, i) => isKnownName(name) && !(isShort(name) && again(name, i)));
  if (known.length > 0) return true;
  if (names.length > 1 && names.every((name, i) => isWeakName(name) && !again(name, i))) return true;
  if (asksQuestions(names, rest)) return true;
  const plausible = (name: string) =>
    name.length <= 60 &&
    !/[\r\n]/.test(name) &&
    !isNumber(name) &&
    (!/[.!?。！？]$/.test(name) || isAbbreviation(name));
  if (!names.every(plausible)) return false;
  if (rest.length === 0) return names.length > 1 && names.every((name) => name.length <= 30);
  // A word above a column of numbers or dates.
  const numeric = names.some(
    (name, i) => name !== '' && !isDate(name) && rest.every((r) => isNumber((r[i] ?? '').trim()) || isDate(r[i] ?? '')),
  );
  if (numeric) return true;
  // If it occurs again below, it is a value ("spam", "ham") and not a name.
  if (names.some((name, i) => name !== '' && again(name, i))) return false;
  const words = (text: string) => text.split(/\s+/).length;
  const longest = (cells: readonly string[]) => Math.max(...cells.map((cell) => cell.length));
  const mean = rest.reduce((sum, r) => sum + longest(r), 0) / rest.length;
  return names.every((name) => words(name) <= 4) && mean > longest(names) * 1.5;
}

/** “Nr.”, “Order-No.” */
const isAbbreviation = (name: string) => /(^|-)\p{L}{1,4}\.$/u.test(name) && !/\s/.test(name);

const isShort = (name: string) => name.length <= 20;

/** The questions of a survey as names: a form's time stamp comes first, or only the first row has questions. */
function asksQuestions(names: readonly string[], rest: readonly (readonly string[])[]): boolean {
  if (rest.length === 0 || names.some((name) => name === '' || isNumber(name))) return false;
  const asking = names.map((name, i) => ({ name, i })).filter(({ name }) => /[?？¿]/.test(name));
  if (asking.length === 0) return false;
  const silent = (i: number) => rest.length > 1 && rest.every((r) => !/[?？]\s*$/.test(r[i] ?? ''));
  // Where every name asks, a column of questions may stand beside one without.
  return asking.length === names.length && asking.length > 1
    ? asking.some(({ i }) => silent(i))
    : asking.every(({ i }) => silent(i));
}

export function isNumber(text: string): boolean {
  return text !== '' && Number.isFinite(Number(text.replace(',', '.')));
}

function isDate(text: string): boolean {
  return /^\s*\d{1,4}[-./]\d{1,2}[-./]\d{1,4}(?:[ T]\d{1,2}:\d{2}.*)?\s*$/.test(text);
}
