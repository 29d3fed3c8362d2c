import { useId, useState } from 'react';
import { useHub } from '../../../stores/hub';
import { Button } from '../../ui/Button';
import { Dialog } from '../../ui/Dialog';
import { Input, Labelled } from '../../ui/Field';
import { ErrorNotice } from '../../ui/Notice';

const official = 'https://huggingface.co';

/** Where models are fetched from, and as whom. */
export function HubSettingsDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  const id = useId();
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title="Hugging Face Hub"
      description="Where models are fetched from, and as whom. Public models need neither."
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button variant="primary" type="submit" form={id}>
            Use these
          </Button>
        </>
      }
    >
      <Form id={id} onDone={onClose} />
    </Dialog>
  );
}

function Form({ id, onDone }: { id: string; onDone: () => void }) {
  const { settings, settingsError, setSettings } = useHub();
  const [endpoint, setEndpoint] = useState(settings.endpoint);
  const [token, setToken] = useState(settings.token ?? '');
  return (
    <form
      id={id}
      className="space-y-4"
      onSubmit={async (event) => {
        event.preventDefault();
        const saved = await setSettings({ endpoint: endpoint.trim() || official, token: token.trim() || null });
        if (saved) onDone();
      }}
    >
      {settingsError && <ErrorNotice error={settingsError} />}
      <Labelled label="Address of the Hub" hint={`${official}, or a mirror with the same routes.`}>
        <Input
          inputMode="url"
          autoComplete="off"
          spellCheck={false}
          placeholder={official}
          value={endpoint}
          onChange={(event) => setEndpoint(event.target.value)}
        />
      </Labelled>
      <Labelled
        label="Access token"
        hint="For gated and private models. It is kept in memory only, sent to this address only, and gone when the tab is closed or reloaded."
      >
        <Input
          type="password"
          autoComplete="off"
          spellCheck={false}
          placeholder="hf_…"
          value={token}
          onChange={(event) => setToken(event.target.value)}
        />
      </Labelled>
    </form>
  );
}
