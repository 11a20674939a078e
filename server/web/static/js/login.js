// In the demo, a touch on a log-in fills it in.

for (const button of document.querySelectorAll("[data-login]")) {
  button.addEventListener("click", () => {
    document.getElementById("username").value = button.dataset.login;
    const password = document.getElementById("password");
    password.value = button.dataset.password;
    password.form.requestSubmit();
  });
}
