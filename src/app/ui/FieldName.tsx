import { Fragment } from 'react';

/** The name of a setting, such as `dataset.validation_split`. On a narrow screen it breaks after a dot or underscore. */
export function FieldName({ name }: { name: string }) {
  const parts = name.split(/(?<=[._])/);
  return parts.map((part, at) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a name never change places.
    <Fragment key={at}>
      {at > 0 && <wbr />}
      {part}
    </Fragment>
  ));
}
