import type { ComponentProps } from "react";
import { Icon, type IconName } from "./icon.tsx";

interface Props extends ComponentProps<"button"> {
  readonly icon?: IconName;
  /** Default `plain`. */
  readonly look?: "plain" | "primary" | "danger" | "bare";
}

/** A button with a picture, a text, or both; with a picture alone it needs an `aria-label`. */
export function Button({ icon, look = "plain", children, ...rest }: Props) {
  const title = rest.title ?? (children ? undefined : rest["aria-label"]);
  return (
    <button type="button" className="button" data-look={look} {...rest} title={title}>
      {icon && <Icon name={icon} />}
      {children}
    </button>
  );
}
