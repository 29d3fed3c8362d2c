import { Dialog } from '../../ui/Dialog';

/** The promise, and how a person who does not believe it can check it. */
export function PrivacyDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title="Nothing leaves this device"
      description="Your examples, your prompts and what the model learns stay in this browser. Do not take our word for it."
    >
      <h3 className="mt-2 font-semibold">See it for yourself</h3>
      <ol className="mt-1 list-decimal space-y-1.5 pl-5">
        <li>
          Open the developer tools of your browser (F12), choose <strong>Network</strong>, and do everything you came
          for. You see the files of this page and of the model arriving. Nothing of yours goes out.
        </li>
        <li>
          Or load the page, <strong>switch off your network</strong>, and train, compare and export. It all works,
          because there is no server behind it.
        </li>
        <li>Read the code. It is open source, and what runs here is what stands there.</li>
      </ol>
      <h3 className="mt-5 font-semibold">What happens where</h3>
      <ul className="mt-1 list-disc space-y-1.5 pl-5">
        <li>Training and answering run on your GPU, through WebGPU, in a worker of this tab.</li>
        <li>
          Files that you drop in, runs and checkpoints are kept in this browser’s own storage, so that a reload loses
          nothing. <strong>Storage</strong> lists them and deletes them.
        </li>
        <li>
          Only when you search for a model or download one, this browser asks the Hugging Face Hub for it: the Hub then
          learns your address and the name of the model, and nothing about your data.
        </li>
        <li>There is no account, no cookie and no telemetry.</li>
        <li>Exports are downloads that your browser writes to your disk.</li>
      </ul>
    </Dialog>
  );
}
