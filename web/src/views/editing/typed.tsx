/** Inputs whose text is taken over when they are left. Drawn anew before that, for an answer has come, they keep what is typed. */
import type { JSX, TargetedEvent } from "preact";
import { useState } from "preact/hooks";

interface Wanted {
  value: string;
  take: (text: string) => void;
}

type Box = HTMLInputElement | HTMLTextAreaElement;

interface Handled {
  value: string;
  onInput: (event: TargetedEvent<Box>) => void;
  onChange: (event: TargetedEvent<Box>) => void;
  onBlur: () => void;
}

function useTyped({ value, take }: Wanted): Handled {
  const [typed, type] = useState<string>();
  return {
    value: typed ?? value,
    onInput: (event) => type(event.currentTarget.value),
    onChange: (event) => {
      type(undefined);
      take(event.currentTarget.value);
    },
    onBlur: () => type(undefined),
  };
}

/** What an input has besides. */
interface Given extends Wanted {
  id?: string;
  "aria-label"?: string;
  "aria-describedby"?: string | undefined;
  "aria-invalid"?: "true" | undefined;
}

interface GivenLine extends Given {
  type?: "text" | "number" | "datetime-local";
  min?: number;
  step?: "any";
  placeholder?: string;
  list?: string;
}

export function Typed({ value, take, type = "text", ...rest }: GivenLine): JSX.Element {
  return <input type={type} {...rest} {...useTyped({ value, take })} />;
}

export function TypedLines({ value, take, rows, ...rest }: Given & { rows: number }): JSX.Element {
  return <textarea class="source" rows={rows} spellcheck={false} {...rest} {...useTyped({ value, take })} />;
}
