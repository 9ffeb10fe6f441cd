// Behind the text that is typed lies the same text, with each field drawn as a chip: a text area alone shows no colours.
// The letters of both lie on one another, so nothing here may be wider than what is typed: the braces stay, unseen.
// Whatever is typed becomes text of an element and never markup.
// After a brace the fields that begin so are offered, in a list that is beside the text area.

// Braces of one field, or of one written with too many of them.  From the first brace on, or thousands of them in a row
// would be looked at again from each.
const FIELD = /(?<!\{)(\{+)([^{}]*)(\}+)/g;
const BEGUN = /\{([^{}|\n]{0,20})$/; // a field that is being typed
const LIST_PX = 180; // as wide as the list of fields is

function fold(words) {
  return words.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}

// {Meu nome}, { avaliação } and {MEU-NOME} as core reads them.
function spelling(name) {
  return fold(name).replace(/[-_]/g, " ").trim().split(/\s+/).join("_");
}

function span(className, words) {
  const made = document.createElement("span");
  made.className = className;
  made.textContent = words;
  return made;
}

function chip(inside) {
  const made = span("p-gap", "");
  made.append(span("p-brace", "{"), inside, span("p-brace", "}"));
  return made;
}

// The text in pieces: what is written so, chips, and fields that nobody knows, which keep their braces.
function pieces(words, known) {
  const found = [];
  let at = 0;
  for (const field of words.matchAll(FIELD)) {
    const [whole, before, inside, after] = field;
    found.push(document.createTextNode(words.slice(at, field.index)));
    const isKnown = before + after === "{}" && known.includes(spelling(inside.split("|")[0]));
    found.push(isKnown ? chip(inside) : span("p-gap wrong", whole));
    at = field.index + whole.length;
  }
  found.push(document.createTextNode(words.slice(at) + "\u200b")); // an empty last line has its height too
  return found;
}

// Where a letter stands on the screen: the text area does not tell, what lies behind it does.
function placeOf(mirror, letter) {
  const walker = document.createTreeWalker(mirror, NodeFilter.SHOW_TEXT);
  let left = letter;
  while (walker.nextNode()) {
    const length = walker.currentNode.length;
    if (left < length) {
      const spot = document.createRange();
      spot.setStart(walker.currentNode, left);
      spot.setEnd(walker.currentNode, left + 1);
      return spot.getBoundingClientRect();
    }
    left -= length;
  }
  return mirror.getBoundingClientRect();
}

export default {
  template: '<div class="p-mirror" aria-hidden="true"></div>',
  props: { said: String, known: Array },
  mounted() {
    const box = this.$el.parentElement;
    this.area = box.querySelector("textarea");
    this.list = box.querySelector(".p-gaps");
    const ours = [
      [this.area, "input", this.paint],
      [this.area, "scroll", this.follow],
      [this.area, "keyup", this.offer],
      [this.area, "keydown", this.choose],
      [this.area, "blur", this.hide],
      [this.list, "mousedown", (event) => event.preventDefault()], // the text keeps the cursor
      [this.list, "mousemove", (event) => this.point(event.target.closest("[data-gap]"))], // not when it opens under a mouse at rest
      [this.list, "click", (event) => this.fill(event.target.closest("[data-gap]"))],
    ];
    for (const [of, name, handler] of ours) of.addEventListener(name, handler);
    this.paint();
    box.classList.add("p-mirrored"); // until now the text area shows its own letters
  },
  watch: {
    said() {
      this.$nextTick(this.paint);
    },
  },
  methods: {
    paint() {
      this.$el.replaceChildren(...pieces(this.area.value, this.known));
      this.follow();
    },
    follow() {
      this.$el.scrollTop = this.area.scrollTop;
    },
    hide() {
      this.list.hidden = true;
    },
    // Each field keeps its place in the list; what does not begin as typed is hidden.
    offer(event) {
      if (["ArrowDown", "ArrowUp", "Enter", "Tab", "Escape"].includes(event.key)) return;
      const begun = this.area.value.slice(0, this.area.selectionStart).match(BEGUN);
      let first = true;
      for (const each of this.list.children) {
        const names = [each.dataset.gap, each.textContent];
        const fits = !!begun && names.some((name) => fold(name).startsWith(fold(begun[1])));
        each.hidden = !fits;
        this.mark(each, fits && first);
        if (fits) first = false;
      }
      this.list.hidden = first;
      if (!first) this.place(begun.index);
    },
    mark(each, isOn) {
      each.classList.toggle("on", isOn);
      each.setAttribute("aria-selected", isOn);
    },
    // The mouse and the keys move one choice.
    point(to) {
      if (to) for (const each of this.list.children) this.mark(each, each === to);
    },
    // Below the brace that asks for it.
    place(brace) {
      const spot = placeOf(this.$el, brace);
      const box = this.$el.getBoundingClientRect();
      this.list.style.left = `${Math.max(0, Math.min(spot.left - box.left - 8, box.width - LIST_PX))}px`;
      this.list.style.top = `${spot.bottom - box.top + 6}px`;
    },
    choose(event) {
      if (this.list.hidden) return;
      const shown = [...this.list.children].filter((each) => !each.hidden);
      const at = shown.findIndex((each) => each.classList.contains("on"));
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        const step = event.key === "ArrowDown" ? 1 : -1;
        shown.forEach((each, n) => this.mark(each, n === (at + step + shown.length) % shown.length));
      } else if (event.key === "Enter" || event.key === "Tab") {
        event.preventDefault();
        this.fill(shown[at]);
      } else if (event.key === "Escape") {
        event.stopPropagation();
        this.hide();
      }
    },
    // What the page puts where the cursor is; as if it had been typed, so that it can be taken back.
    put(words) {
      this.area.focus();
      document.execCommand("insertText", false, words);
    },
    // As if it had been typed, so that it can be taken back.
    fill(each) {
      if (!each) return;
      const to = this.area.selectionStart;
      const from = this.area.value.lastIndexOf("{", to - 1);
      this.hide();
      this.area.focus();
      this.area.setSelectionRange(from < 0 ? to : from, to);
      document.execCommand("insertText", false, `{${each.dataset.gap}}`);
    },
  },
};
