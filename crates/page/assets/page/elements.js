// Elements of the page.

/** The element with an id. */
export const byId = (id) => document.getElementById(id);

/** A new element with attributes and children; `on...` attributes are listeners, texts become text. */
export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== false && value !== null) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children);
  return node;
}

/** Whether a button that switches is pressed. */
export function press(button, pressed) {
  button.setAttribute("aria-pressed", String(pressed));
}

/** Buttons of which one is pressed; `choices` lists [value, text, label], `chosen` is called with the value. */
export function oneOf(parent, choices, chosen) {
  const buttons = choices.map(([value, text, label]) => {
    const button = element("button", { type: "button", class: "chip", "aria-label": label ?? text, "data-value": value }, text);
    button.addEventListener("click", () => {
      select(value);
      chosen(value);
    });
    return button;
  });
  const select = (value) => buttons.forEach((button, i) => press(button, choices[i][0] === value));
  parent.replaceChildren(...buttons);
  return select;
}

/** A number as people read it. */
export const counted = (number) => number.toLocaleString("en-US");

/** A number without digits behind its point, with a minus as wide as a digit. */
export const whole = (number) => String(Math.round(number)).replace("-", "\u2212");

/** A share in percent, never rounded to what it is not. */
export function percent(p) {
  if (p > 0 && p < 0.001) return "<0.1%";
  if (p > 0.999) return ">99.9%";
  return `${(100 * p).toFixed(p > 0.1 && p < 0.9 ? 0 : 1)}%`;
}

/** Whether one asks for things that do not move. */
export const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
