import { ChevronDown, ChevronRight, CircleAlert, Info, TriangleAlert } from 'lucide-react';
import { useId, useState } from 'react';
import { useData } from '../../../stores/data';
import { useEdits } from '../../../stores/edits';
import type { Finding, Fix } from '../../../stores/findings';
import { useFields } from '../../../stores/select';
import { runActive, useTraining } from '../../../stores/training';
import { common } from '../../text/common';
import { undoText } from '../../text/data';
import { findingsText as text } from '../../text/findings';
import { Button } from '../../ui/Button';
import { Panel } from '../../ui/Panel';
import { formatCount, formatPlural, formatShare } from '../../util/format';

/** Rows of one kind that are listed at a time: each is a line with its own button. */
const most = 50;

const marks = {
  error: { Icon: CircleAlert, look: 'text-danger', word: text.error },
  warning: { Icon: TriangleAlert, look: 'text-warn', word: text.warning },
  note: { Icon: Info, look: 'text-accent', word: text.note },
};

interface Props {
  findings: readonly Finding[];
  /** The rows that are examples, and can be shown. */
  rows: ReadonlySet<number>;
  /** Rows of the file from which nothing is learned, and all of them. */
  leftOut: number;
  totalRows: number;
}

/** What was found in the data, one line for each kind, with its rows and what can be done about them. */
export function FindingsPanel({ findings, rows, leftOut, totalRows }: Props) {
  if (findings.length === 0) return null;
  return (
    <Panel
      title={formatPlural(findings.length, 'finding')}
      description={
        leftOut > 0
          ? text.leftOut(formatCount(leftOut), formatPlural(totalRows, 'row'), formatShare(leftOut / totalRows))
          : text.nothingLeftOut
      }
      flush
    >
      <ul className="divide-y border-t">
        {findings.map((finding) => (
          <FindingLine key={finding.kind} finding={finding} rows={rows} />
        ))}
      </ul>
    </Panel>
  );
}

function FindingLine({ finding, rows }: { finding: Finding; rows: ReadonlySet<number> }) {
  const [open, setOpen] = useState(false);
  const id = useId();
  const { severity, sentence, advice, details, fixes, count } = finding;
  const { Icon, look, word } = marks[severity];
  const only = details.length === 0 && finding.rows.length === 1 ? finding.rows[0] : undefined;
  return (
    <li className="px-4 py-2">
      <div className="flex flex-wrap gap-x-3 gap-y-1.5">
        <Icon aria-hidden size={16} className={`mt-0.5 shrink-0 ${look}`} />
        <p className="min-w-48 flex-1 break-words" id={id}>
          <span className="sr-only">{word}</span>
          {sentence} {advice && <span className="text-muted">{advice}</span>}
        </p>
        <div className="flex flex-wrap items-start gap-2">
          {fixes.map((fix) => (
            <FixButton key={fix.label} fix={fix} about={id} />
          ))}
          {only !== undefined && rows.has(only) && <ShowRow row={only} />}
          {details.length > 0 && (
            <Button
              size="small"
              variant="quiet"
              aria-expanded={open}
              aria-describedby={id}
              onClick={() => setOpen(!open)}
            >
              {open ? <ChevronDown aria-hidden size={14} /> : <ChevronRight aria-hidden size={14} />}
              {open ? text.hide : text.show}
            </Button>
          )}
        </div>
      </div>
      {open && (
        <ul aria-labelledby={id} className="mt-1 ml-7 max-h-72 divide-y overflow-auto text-[0.8125rem]">
          {details.slice(0, most).map(({ row, message, action }, i) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: the details of one finding never change places.
            <li key={i} className="flex flex-wrap items-start gap-x-3 py-1">
              <p className="min-w-40 flex-1 break-words">
                {message} {advice !== action && <span className="text-muted">{action}</span>}
              </p>
              {row !== undefined && rows.has(row) && <ShowRow row={row} />}
            </li>
          ))}
          {count > most && <li className="py-1 text-muted">{text.further(formatCount(count - most))}</li>}
        </ul>
      )}
    </li>
  );
}

function FixButton({ fix, about }: { fix: Fix; about: string }) {
  const { set, edit, busy } = useEdits(useFields('set', 'edit', 'busy'));
  const training = useTraining(runActive);
  const press = () => {
    if ('set' in fix) set(fix.set, fix.label);
    else if ('edit' in fix) void edit(fix.edit, fix.label);
    else void fix.run();
  };
  const why = training ? common.runInProgress : busy && undoText.saving;
  return (
    <Button size="small" aria-describedby={about} why={why} onClick={press}>
      {fix.label}
    </Button>
  );
}

function ShowRow({ row }: { row: number }) {
  const selectRow = useData((state) => state.selectRow);
  return (
    <Button size="small" variant="quiet" onClick={() => selectRow(row)}>
      {text.showRow(row)}
    </Button>
  );
}
