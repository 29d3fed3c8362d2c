/** Sentences to fill datasets with, in the languages that the encodings are for. Drawn by seed, each one of its own number. */
import { permutation, Stream } from '../../../../src/base/random';

export type Language = 'english' | 'german' | 'french' | 'spanish' | 'russian' | 'chinese' | 'japanese';

const WORDS: Record<Language, string> = {
  english:
    'the lamp by old harbour keeps watch while boats return with salt on their ropes and gulls follow naïve crews',
  german: 'der alte Müller öffnet früh die Tür grüßt seine Nachbarn schön und trägt süße Brötchen über die Straße',
  french: 'la forêt près du château garde l’été très frais où un garçon écoute le ruisseau après l’école à côté du pré',
  spanish: 'el niño pequeño corrió hacia la montaña después del almuerzo y encontró una señal extraña junto al río',
  russian:
    'старый мельник рано открывает дверь здоровается с соседями несёт сладкие булки через широкую улицу домой вечером',
  chinese: '老 磨坊 的 主人 清早 打开 大门 向 邻居 问好 然后 带着 面包 穿过 街道 回家 休息 晚上 再 读 一本 书',
  japanese: '古い 水車小屋 の 主人 は 朝早く 戸 を 開けて 隣人 に 挨拶 して 甘い パン を 持って 通り を 渡ります',
};
const UNSPACED = new Set<Language>(['chinese', 'japanese']);

/** A maker of sentences that never repeat within a dataset. With `commas`, every third has one. */
export function speaker(language: Language, seed: number, { commas }: { commas: boolean }) {
  const words = WORDS[language].split(' ');
  let said = 0;
  return (least = 5): string => {
    const order = permutation(words.length, seed * 1000 + said, Stream.split);
    const count = least + (said % 4);
    // In the order of the sentence, as people write.
    const chosen = Array.from(order.slice(0, count).sort(), (k) => words[k]!);
    said++;
    if (UNSPACED.has(language))
      return `${chosen.join('')}${commas && said % 3 === 0 ? '，' : ''}${said}${language === 'chinese' ? '号。' : '番。'}`;
    const text = `${chosen.slice(0, 3).join(' ')}${commas && said % 3 === 0 ? ', ' : ' '}${chosen.slice(3).join(' ')} ${said}`;
    return `${text[0]!.toUpperCase()}${text.slice(1)}.`;
  };
}
