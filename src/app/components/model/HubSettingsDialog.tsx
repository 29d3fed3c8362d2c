import { useId, useState } from 'react';
import { HUB } from '../../../hub/hub-id';
import { useHub } from '../../../stores/hub';
import { usePreferences } from '../../../stores/preferences';
import { useFields } from '../../../stores/select';
import { common } from '../../text/common';
import { hubSettingsText as text } from '../../text/hub';
import { accessText } from '../../text/model';
import { Button } from '../../ui/Button';
import { Confirm } from '../../ui/Confirm';
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
  const { elsewhere, goElsewhere, stayHere } = useHub(useFields('elsewhere', 'goElsewhere', 'stayHere'));
  const last = usePreferences((state) => state.hubEndpoint);
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
          list={`${id}-known`}
          value={endpoint}
          onChange={(event) => setEndpoint(event.target.value)}
        />
        <datalist id={`${id}-known`}>
          {[...new Set([HUB, last])].map((address) => (
            <option key={address} value={address} />
          ))}
        </datalist>
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
      <Confirm
        open={elsewhere !== null}
        title={text.elsewhere.title}
        action={text.elsewhere.action}
        onConfirm={goElsewhere}
        onCancel={stayHere}
      >
        <p>{elsewhere && text.elsewhere.what(elsewhere.endpoint)}</p>
        <p className="mt-2">{elsewhere?.token ? text.elsewhere.token : text.elsewhere.kept}</p>
      </Confirm>
    </form>
  );
}
