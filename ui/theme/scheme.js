/* Gives <body> its light or dark class before anything is painted.  The server says light, dark or system in the
   color-scheme tag; what the system says is also left in a cookie, for what is drawn on the server: charts. */
(() => {
  const wish = document.querySelector("meta[name=color-scheme]").content;
  const system = matchMedia("(prefers-color-scheme: dark)").matches;
  const dark = wish === "dark" || (wish !== "light" && system);
  document.body.classList.add(dark ? "body--dark" : "body--light");
  document.cookie = `system_dark=${system ? 1 : 0}; path=/; samesite=lax`;
})();
