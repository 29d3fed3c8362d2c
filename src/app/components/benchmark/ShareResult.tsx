import { Copy, Download } from 'lucide-react';
import { useState } from 'react';
import { issueLink } from '../../../benchmark/issue-link';
import { asLine, type BenchmarkResult } from '../../../benchmark/result';
import { benchmarkText as text } from '../../text/benchmark';
import { Button } from '../../ui/Button';
import { Facts } from '../../ui/Facts';
import { Panel } from '../../ui/Panel';
import { downloadBlob } from '../../util/downloadBlob';
import { formatDuration } from '../../util/format';

/** What was measured on what, and the line to send around. Nothing is sent from here. */
export function ShareResult({ result, name }: { result: BenchmarkResult; name: string }) {
  const [said, setSaid] = useState('');
  const line = asLine(result);
  const report = issueLink(__TABTUNE_ISSUES__, result, name);
  const copy = () =>
    navigator.clipboard.writeText(line).then(
      () => setSaid(text.copied),
      () => setSaid(text.copyFailed),
    );
  return (
    <Panel
      title={text.device}
      aside={
        <>
          <Button size="small" variant="primary" onClick={() => void copy()}>
            <Copy aria-hidden size={14} /> {text.copy}
          </Button>
          <Button
            size="small"
            onClick={() => downloadBlob(new Blob([`${line}\n`], { type: 'application/json' }), text.file)}
          >
            <Download aria-hidden size={14} /> {text.save}
          </Button>
        </>
      }
    >
      <div className="space-y-3">
        <Facts
          columns={2}
          facts={[
            { name: text.device, value: name },
            { name: text.took, value: formatDuration(result.seconds) },
          ]}
        />
        <p role="status" className="text-muted">
          {said}
        </p>
        {report && (
          <p className="text-muted">
            <a
              className="underline underline-offset-2"
              href={report.href}
              target="_blank"
              rel="noreferrer"
              onClick={report.paste ? () => void copy() : undefined}
            >
              {text.report}
            </a>{' '}
            {text.reportNote(report.host, report.paste)}
          </p>
        )}
        <details>
          <summary>{text.shown}</summary>
          <pre className="mt-2 max-h-60 overflow-auto rounded-md bg-sunken p-3 text-xs break-all whitespace-pre-wrap">
            {line}
          </pre>
        </details>
      </div>
    </Panel>
  );
}
