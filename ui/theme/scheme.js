/* Gives <body> its light or dark class before anything is painted.  The server says light, dark or system in the
   color-scheme tag. */
(() => {
  const wish = document.querySelector("meta[name=color-scheme]").content;
  const dark = wish === "dark" || (wish !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.body.classList.add(dark ? "body--dark" : "body--light");
})();
