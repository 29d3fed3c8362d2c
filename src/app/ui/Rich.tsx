/** Text with `**strong**` and `` `code` `` in it, as the files of text/ write it. */
export function Rich({ text }: { text: string }) {
  return text.split(/(\*\*[^*]+\*\*|`[^`]+`)/).map((part, i) => {
    // biome-ignore-start lint/suspicious/noArrayIndexKey: the parts of one text never change places.
    if (part.startsWith('**')) return <strong key={i}>{part.slice(2, -2)}</strong>;
    if (part.startsWith('`'))
      return (
        <code key={i} className="font-mono text-[0.9285em]">
          {part.slice(1, -1)}
        </code>
      );
    // biome-ignore-end lint/suspicious/noArrayIndexKey: see above.
    return part;
  });
}
