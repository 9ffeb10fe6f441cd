/* The two comforts of the access pages: looking at what one types, and how strong a password is.
   Without this script the pages work all the same. */
document.documentElement.classList.add("a-js");

for (const button of document.querySelectorAll(".a-peek")) {
  const input = document.getElementById(button.getAttribute("aria-controls"));
  button.addEventListener("click", () => {
    const hidden = input.type === "password";
    input.type = hidden ? "text" : "password";
    button.setAttribute("aria-pressed", String(hidden));
    button.firstElementChild.textContent = hidden ? "visibility_off" : "visibility";
    input.focus();
  });
}

for (const meter of document.querySelectorAll(".a-strength")) {
  const input = document.getElementById(meter.dataset.for);
  const steps = [...meter.querySelectorAll("i")];
  const words = meter.querySelector("output");
  const say = () => {
    const length = [...input.value].length;
    const kinds = new Set([...input.value]).size;
    // Length is what makes a password hard to guess; one letter held down is not length.
    const strength = length === 0 ? 0 : length < 10 || kinds < 5 ? 1 : length < 12 ? 2 : length < 16 ? 3 : 4;
    steps.forEach((step, i) => {
      step.className = i < strength ? (strength === 1 ? "low" : "on") : "";
    });
    meter.classList.toggle("on", length > 0);
    words.className = strength === 1 ? "low" : "";
    words.textContent = strength === 0 ? "" : meter.dataset[["", "short", "fair", "good", "strong"][strength]];
  };
  input.addEventListener("input", say);
  say();
}
