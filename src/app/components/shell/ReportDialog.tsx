import { Copy, Download } from 'lucide-react';
import { useState } from 'react';
import { reportText as text } from '../../text/settings';
import { Button } from '../../ui/Button';
import { Dialog } from '../../ui/Dialog';
import { Labelled, Textarea } from '../../ui/Field';
import { downloadBlob } from '../../util/downloadBlob';
import { reportOf } from '../../util/report';

/** Everything about a fault that is not data, to be read, changed and copied by the person. Nothing is sent. */
export function ReportDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  return (
    <Dialog open={open} onClose={onClose} title={text.title} description={text.description} shape="wide">
      <Report />
    </Dialog>
  );
}

function Report() {
  const [report, setReport] = useState(reportOf);
  const [said, setSaid] = useState('');
  const copy = () =>
    navigator.clipboard.writeText(report).then(
      () => setSaid(text.copied),
      () => setSaid(text.failed),
    );
  return (
    <div className="space-y-3">
      <Labelled label={text.label} hint={text.left}>
        <Textarea
          rows={18}
          spellCheck={false}
          className="font-mono text-xs!"
          value={report}
          onChange={(event) => {
            setReport(event.target.value);
            setSaid('');
          }}
        />
      </Labelled>
      <div className="flex flex-wrap items-center gap-2">
        <Button variant="primary" onClick={() => void copy()}>
          <Copy aria-hidden size={16} />
          {text.copy}
        </Button>
        <Button onClick={() => downloadBlob(new Blob([report], { type: 'text/markdown' }), text.file)}>
          <Download aria-hidden size={16} />
          {text.save}
        </Button>
        <p role="status" className="text-muted">
          {said}
        </p>
      </div>
    </div>
  );
}
