import { ExternalLink } from 'lucide-react';
import { useState } from 'react';
import { useHub } from '../../../stores/hub';
import { usePush } from '../../../stores/push';
import { useFields } from '../../../stores/select';
import { pushText } from '../../text/push';
import { Button } from '../../ui/Button';
import { Input, Labelled } from '../../ui/Field';
import { ErrorNotice } from '../../ui/Notice';

const text = pushText.token;

/** The token, and whose it is once the Hub has said so. */
export function PushToken() {
  const { account, accountError, checking, check, forgetAccount } = usePush(
    useFields('account', 'accountError', 'checking', 'check', 'forgetAccount'),
  );
  const endpoint = useHub((state) => state.settings.endpoint);
  const [token, setToken] = useState('');
  if (account) {
    return (
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <p>{text.of(account.name)}</p>
        <Button size="small" variant="quiet" onClick={forgetAccount}>
          {text.another}
        </Button>
      </div>
    );
  }
  const entered = token.trim();
  return (
    <form
      className="space-y-2"
      onSubmit={(event) => {
        event.preventDefault();
        if (entered === '') return;
        void check(entered);
        setToken('');
      }}
    >
      {accountError && <ErrorNotice error={accountError} />}
      <div className="flex flex-wrap items-end gap-2">
        <Labelled label={text.label} className="min-w-0 flex-1 basis-56">
          <Input
            type="password"
            autoComplete="off"
            spellCheck={false}
            placeholder={text.placeholder}
            value={token}
            onChange={({ target }) => setToken(target.value)}
          />
        </Labelled>
        <Button type="submit" why={checking ? text.checking : entered === '' && text.enterFirst}>
          {text.use}
        </Button>
      </div>
      <p className="text-[0.8125rem] text-muted">
        {checking ? text.checking : text.hint}{' '}
        <a
          className="underline underline-offset-2"
          href={`${endpoint}/settings/tokens`}
          target="_blank"
          rel="noreferrer"
        >
          {text.create} <ExternalLink aria-hidden size={12} className="inline" />
        </a>
      </p>
    </form>
  );
}
