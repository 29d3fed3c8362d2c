import { useId, useState } from 'react';
import { HUB } from '../../../hub/hub-id';
import { useHub } from '../../../stores/hub';
import { useFields } from '../../../stores/select';
import { common } from '../../text/common';
import { accessText, hubSettingsText as text } from '../../text/model';
import { Button } from '../../ui/Button';
import { Dialog } from '../../ui/Dialog';
import { Input, Labelled } from '../../ui/Field';
import { ErrorNotice } from '../../ui/Notice';

/** Where models are downloaded from, and with which token. */
export function HubSettingsDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  const id = useId();
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title={text.title}
      description={text.description}
      footer={
        <>
          <Button onClick={onClose}>{common.cancel}</Button>
          <Button variant="primary" type="submit" form={id}>
            {text.save}
          </Button>
        </>
      }
    >
      <Form id={id} onDone={onClose} />
    </Dialog>
  );
}

function Form({ id, onDone }: { id: string; onDone: () => void }) {
  const { settings, settingsError, setSettings } = useHub(useFields('settings', 'settingsError', 'setSettings'));
  const [endpoint, setEndpoint] = useState(settings.endpoint);
  const [token, setToken] = useState(settings.token ?? '');
  return (
    <form
      id={id}
      className="space-y-4"
      onSubmit={async (event) => {
        event.preventDefault();
        const saved = await setSettings({ endpoint: endpoint.trim() || HUB, token: token.trim() || null });
        if (saved) onDone();
      }}
    >
      {settingsError && <ErrorNotice error={settingsError} />}
      <Labelled label={text.address} hint={text.addressHint(HUB)}>
        <Input
          inputMode="url"
          autoComplete="off"
          spellCheck={false}
          placeholder={HUB}
          value={endpoint}
          onChange={(event) => setEndpoint(event.target.value)}
        />
      </Labelled>
      <Labelled label={accessText.token} hint={text.tokenHint}>
        <Input
          type="password"
          autoComplete="off"
          spellCheck={false}
          placeholder={accessText.tokenPlaceholder}
          value={token}
          onChange={(event) => setToken(event.target.value)}
        />
      </Labelled>
    </form>
  );
}
