/** A component that is drawn again only when one of its properties is another one. */
import { Component, type ComponentChildren, type FunctionComponent } from "preact";

export function memo<P extends object>(draw: FunctionComponent<P>): FunctionComponent<P> {
  class Kept extends Component<P> {
    override shouldComponentUpdate(next: P): boolean {
      const names = Object.keys({ ...this.props, ...next }) as (keyof P)[];
      return names.some((name) => name !== ("children" as keyof P) && this.props[name] !== next[name]);
    }

    override render(): ComponentChildren {
      return draw(this.props as P, undefined);
    }
  }
  return Kept as unknown as FunctionComponent<P>;
}
